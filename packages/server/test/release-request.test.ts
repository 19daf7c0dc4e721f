import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { eventually } from '@tutti/test-kit'
import type { Server, ServerOptions, Socket } from 'socket.io'
import { expect, test } from 'vitest'
import { serve } from './serve.ts'
import { serveOnSocketIo, type SocketIoServer } from './socket-io-server.ts'
import type { RealtimeServerOptions } from '../src/index.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Requests of HTTP, and requests that were upgraded to a WebSocket, as far as they are still in memory. */
function watchRequests(io: Server): () => number {
  const requests = new Set<WeakRef<object>>()
  io.engine.on('initial_headers', (_headers: unknown, request: object) => requests.add(new WeakRef(request)))
  io.engine.on('headers', (_headers: unknown, request: object) => requests.add(new WeakRef(request)))
  return () => {
    collectGarbage()
    return [...requests].filter((request) => request.deref() !== undefined).length
  }
}

const serveReleasing = (
  socketIo: Partial<ServerOptions> = {},
  options: Partial<RealtimeServerOptions> = { keepRequests: false },
): Promise<SocketIoServer> => serveOnSocketIo(socketIo, options)

test.each([[['websocket']], [['polling', 'websocket']]])('the HTTP requests of a connection on %s are released', async (transports) => {
  const { io, connect } = await serveReleasing()
  const requestsInMemory = watchRequests(io)
  const { client, socket } = await connect({ transports })
  await eventually(() => expect(socket.conn.transport.name).toBe('websocket'))
  await client.request('storage:get', { key: 'k' })
  await eventually(() => expect(requestsInMemory()).toBe(0))
  expect(client.socket.connected).toBe(true)
})

test('the HTTP requests of a connection that leaves polling later are released', async () => {
  const { io, connect } = await serveReleasing()
  const requestsInMemory = watchRequests(io)
  const { client, socket } = await connect({ transports: ['polling', 'websocket'], upgrade: false })
  await eventually(() => expect(socket.request.httpVersion).toBeUndefined())
  const { engine } = client.socket.io
  const probe: unknown = Reflect.get(engine, '_probe')
  if (typeof probe !== 'function') throw new Error('The client has no method `_probe`.')
  Reflect.apply(probe, engine, ['websocket'])
  await eventually(() => expect(socket.conn.transport.name).toBe('websocket'))
  await client.request('storage:get', { key: 'k' })
  await eventually(() => expect(requestsInMemory()).toBe(0))
})

test('the request is there for listeners of `connection`, and what is read of it stays', async () => {
  const { io, connect } = await serveReleasing()
  let sessionThen: unknown
  io.engine.use((request: object, _response: unknown, next: () => void) => {
    Object.assign(request, { session: 'of a middleware' })
    next()
  })
  io.on('connection', ({ request }: Socket) => {
    sessionThen = Reflect.get(request, 'session')
  })
  const { client, socket } = await connect({ extraHeaders: { 'x-app': 'yes' }, query: { room: '7' } })
  await client.request('storage:get', { key: 'k' })
  expect(sessionThen).toBe('of a middleware')
  await eventually(() => expect('session' in socket.request).toBe(false))
  expect(socket.request).toMatchObject({ headers: { 'x-app': 'yes' }, method: 'GET', _query: { room: '7' } })
  expect(socket.request.url).toContain('room=7')
})

test('sockets of other namespaces have the handshake of the connection', async () => {
  const { io, connect } = await serveReleasing({}, { keepRequests: false, origins: '*' })
  const handshakes: Socket['handshake'][] = []
  io.of('/app').on('connection', ({ handshake }) => handshakes.push(handshake))
  const { client, socket } = await connect({ extraHeaders: { origin: 'http://page.example' }, query: { room: '7' } })
  await client.request('storage:get', { key: 'k' })
  client.socket.io.socket('/app')
  await eventually(() => expect(handshakes).toHaveLength(1))
  const { headers, address, secure, xdomain, url, query } = socket.handshake
  expect(handshakes).toMatchObject([{ headers, address, secure, xdomain, url, query }])
  expect([headers.origin, xdomain, secure, query['room']]).toEqual(['http://page.example', true, false, '7'])
})

test('a middleware that waits for the end of the response runs once', async () => {
  const { io, connect } = await serveReleasing()
  let closed = 0
  io.engine.use((_request: unknown, response: NodeJS.EventEmitter, next: () => void) => {
    response.once('close', () => (closed += 1))
    next()
  })
  const { client, socket } = await connect()
  await eventually(() => expect(closed).toBe(1))
  const gone = new Promise((resolve) => socket.conn.once('close', resolve))
  client.socket.disconnect()
  await gone
  expect(closed).toBe(1)
})

test('a Socket.IO server of the application keeps its requests, an own one does not', async () => {
  const { connect } = await serveReleasing({}, {})
  const { socket } = await connect()
  const { request } = socket
  const ownSocket = async (keepRequests: boolean | undefined): Promise<Socket | undefined> => {
    const { connect: connectPlain, realtime } = await serve({ keepRequests })
    await connectPlain()
    const [only] = realtime.io.sockets.sockets.values()
    return only
  }
  const kept = await ownSocket(true)
  const released = await ownSocket(undefined)
  await eventually(() => expect([released?.connected, released?.request.httpVersion]).toEqual([true, undefined]))
  expect([socket.request === request, socket.request.httpVersion, kept?.request.httpVersion]).toEqual([true, '1.1', '1.1'])
})
