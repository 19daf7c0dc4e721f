import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRealtimeClient, socketTransport, type ConnectionState, type RealtimeClient } from '@tutti/client'
import { DEFAULT_LIMITS, RealtimeError, toWireError } from '@tutti/protocol'
import { Server, type Socket } from 'socket.io'
import { afterEach, beforeEach, expect, test } from 'vitest'

let io: Server
let url: string
const clients: RealtimeClient[] = []

beforeEach(async () => {
  const http = createServer()
  io = new Server(http)
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
})

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close()
  await io.close()
})

const start = (options: Parameters<typeof createRealtimeClient>[0] = {}): RealtimeClient => {
  const client = createRealtimeClient({ url, random: () => 0, ...options })
  clients.push(client)
  return client
}

/** Settles when the connection has come to a status. */
const reached = (client: RealtimeClient, status: ConnectionState['status']): Promise<ConnectionState> =>
  new Promise((resolve) => {
    if (client.connection.current.status === status) return resolve(client.connection.current)
    const undo = client.connection.subscribe((current) => {
      if (current.status !== status) return
      undo()
      resolve(current)
    })
  })

const greet = (socket: Socket): void => void socket.emit('server:hello', { protocol: 1, instance: socket.id, limits: DEFAULT_LIMITS })

test('[C3] it uses WebSocket only, identifies itself, and exchanges messages', async () => {
  const transports: unknown[] = []
  const messages: unknown[] = []
  io.engine.on('connection', (connection: { transport: { name: string } }) => transports.push(connection.transport.name))
  io.on('connection', (socket) => {
    messages.push(socket.handshake.auth)
    greet(socket)
    socket.on('storage:subscribe', (payload, answer) => {
      messages.push(payload)
      answer({ ok: true, entries: [{ key: 'count', version: 3, value: 30 }] })
      socket.emit('storage:updated', { key: 'count', version: 4, value: 40 })
    })
  })
  const client = start({ auth: () => ({ token: 't' }) })
  const handle = client.state('count', { default: 0 })
  await new Promise<void>((resolve) => handle.subscribe(({ version }) => version === 4 && resolve()))
  expect(handle.current.value).toBe(40)
  expect(transports).toEqual(['websocket'])
  expect(messages).toEqual([{ token: 't', protocol: 1, clientId: client.clientId, features: [] }, { keys: [{ key: 'count' }] }])
})

test('[C3] long-polling can be enabled', async () => {
  const transports: unknown[] = []
  io.engine.on('connection', (connection: { transport: { name: string } }) => transports.push(connection.transport.name))
  io.on('connection', greet)
  await reached(start({ transports: ['polling'] }), 'connected')
  expect(transports).toEqual(['polling'])
})

test('[C1] a refused handshake carries its error, which ends the attempts if permanent', async () => {
  let refusal = new RealtimeError('UNAVAILABLE', { retryAfterMs: 1 })
  let tries = 0
  io.use((_socket, next) => {
    tries++
    next(Object.assign(new Error('refused'), { data: toWireError(refusal) }))
    refusal = new RealtimeError('PROTOCOL', { message: 'Speak another version.' })
  })
  const { reason } = await reached(start(), 'closed')
  expect(reason).toMatchObject({ code: 'PROTOCOL', message: 'Speak another version.' })
  expect(tries).toBe(2)
})

test('[C1] a server that does not know the namespace ends the attempts', async () => {
  io.use((_socket, next) => next(new Error('Invalid namespace')))
  expect((await reached(start(), 'closed')).reason).toMatchObject({
    retryable: false,
    message: 'No Tutti server at this `url` and `path`.',
  })
})

test.each(['http', 'ws'])('[C1] it connects to %s URLs, as text and as `URL`', async (scheme) => {
  io.on('connection', greet)
  const address = url.replace('http', scheme)
  for (const given of [address, `${address}/`, new URL(address)])
    expect(await reached(start({ url: given }), 'connected')).toMatchObject({ attempt: 0 })
})

test('[C1] a connection that the server or the network ends is reconnected', async () => {
  io.on('connection', greet)
  const client = start()
  const first = await reached(client, 'connected')
  const lost = reached(client, 'reconnecting')
  io.disconnectSockets()
  expect((await lost).reason).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  const second = await reached(client, 'connected')
  expect(second.instance).not.toBe(first.instance)
  const again = reached(client, 'reconnecting')
  io.disconnectSockets(true)
  await again
  await reached(client, 'connected')
})

test('[protocol] messages of the application on the same server are ignored', async () => {
  io.on('connection', (socket) => {
    for (const name of ['onUp', 'onDown', 'toString', '__defineGetter__', 'app:news']) socket.emit(name, {})
    greet(socket)
    socket.emit('server:status', { degraded: true })
  })
  const client = start()
  const statuses: unknown[] = []
  client.connection.subscribe(({ status }) => statuses.push(status))
  await new Promise<void>((resolve) => client.connection.subscribe(({ degraded }) => degraded && resolve()))
  expect(statuses).toEqual(['connected', 'connected'])
})

test('[C1] an unreachable server is retried', async () => {
  const reason = await new Promise<RealtimeError>((resolve) => {
    socketTransport({ url: 'http://127.0.0.1:1' })({}, { onMessage: () => {}, onClose: resolve })
  })
  expect(reason).toMatchObject({ code: 'UNAVAILABLE', retryable: true })
})

test('[C1] a closed link reports nothing more, not even its failure', async () => {
  let gone = 0
  io.on('connection', (socket) => void socket.on('disconnect', () => gone++))
  const received: unknown[] = []
  const link = socketTransport({ url })({}, { onMessage: (notice) => received.push(notice), onClose: (reason) => received.push(reason) })
  const [socket] = await new Promise<Socket[]>((resolve) => io.once('connection', (...sockets) => resolve(sockets)))
  const left = new Promise((resolve) => socket?.once('disconnect', resolve))
  link.close()
  link.close()
  await left
  expect([received, gone]).toEqual([[], 1])
})
