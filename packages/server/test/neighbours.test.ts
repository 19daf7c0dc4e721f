import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import { connect as connectTcp, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { reactiveDriver } from '@tutti/storage-driver'
import { Server } from 'socket.io'
import memoryDriver from 'unstorage/drivers/memory'
import { createServer as createViteServer } from 'vite'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocketServer } from 'ws'
import { createRealtimeServer } from '../src/index.ts'
import { attachRealtime, type AttachedRealtimeServer, type AttachRealtimeOptions } from '../src/http/node/index.ts'
import { connectPlain } from './serve.ts'

/** The HTTP server of an application, on a free port. */
async function serveApplication(onRequest?: (request: IncomingMessage, response: ServerResponse) => void): Promise<HttpServer> {
  const server = createServer(onRequest)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return server
}

const addressOf = (server: HttpServer): string => `127.0.0.1:${(server.address() as AddressInfo).port}`
const urlOf = (server: HttpServer): string => `http://${addressOf(server)}`

function attach(server: HttpServer, options: Partial<AttachRealtimeOptions> = {}): AttachedRealtimeServer {
  const realtime = attachRealtime(server, { state: reactiveDriver(memoryDriver()), onWarning: () => {}, ...options })
  onTestFinished(() => realtime.close())
  return realtime
}

/** Connects, makes a change and returns its version; rejects if the connection or the change fails. */
async function changeOn(server: HttpServer, options: Parameters<typeof connectPlain>[1] = {}): Promise<number> {
  const client = await connectPlain(urlOf(server), options)
  const { version } = await client.request('storage:increment', { key: 'count', by: 1 })
  client.socket.disconnect()
  return version
}

const BOTH = [{}, { transports: ['polling'] }]

/** The listeners and overrides on a server, to be compared. */
const traces = (server: HttpServer): unknown => [
  Object.hasOwn(server, 'emit'),
  ...['request', 'upgrade', 'close', 'listening', 'checkContinue'].map((name) => server.listeners(name)),
]

const firstMessage = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.addEventListener('message', ({ data }) => resolve(String(data)), { once: true }))

/** Starts an upgrade by hand; settles with all that the server writes until it closes. */
async function upgrade(server: HttpServer, path: string): Promise<string> {
  const { port } = server.address() as AddressInfo
  const socket = connectTcp(port, '127.0.0.1').setEncoding('utf8')
  onTestFinished(() => void socket.destroy())
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: own\r\n\r\n`)
  return text(socket)
}

test('[C7] an endpoint of the application that takes its time to upgrade is not cut', async () => {
  const server = await serveApplication()
  attach(server)
  const received = Promise.withResolvers<Duplex>()
  server.on('upgrade', (_request: IncomingMessage, socket: Duplex) => received.resolve(socket))
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const answered = upgrade(server, '/own')
  const socket = await received.promise
  vi.advanceTimersByTime(60_000)
  expect(socket.writableEnded).toBe(false)
  socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
  expect(await answered).toMatch(/^HTTP\/1\.1 101 /)
})

for (const first of ['the application', 'Tutti']) {
  test(`[C7] WebSockets of application and Tutti coexist, ${first} attached first`, async () => {
    const server = await serveApplication()
    const own = (): void => {
      const endpoint = new WebSocketServer({ server, path: '/own' })
      endpoint.on('connection', (socket) => socket.send('own'))
      onTestFinished(() => endpoint.close())
    }
    if (first === 'the application') own()
    attach(server)
    if (first === 'Tutti') own()
    for (const options of BOTH) expect(await changeOn(server, options)).toBeGreaterThan(0)
    const socket = new WebSocket(`ws://${addressOf(server)}/own`)
    expect(await firstMessage(socket)).toBe('own')
    socket.close()
  })

  test(`[C7] requests reach the application or Tutti, ${first} attached first`, async () => {
    const server = await serveApplication()
    const paths: (string | undefined)[] = []
    const application = (request: IncomingMessage, response: ServerResponse): void => {
      paths.push(request.url)
      response.end('application')
    }
    if (first === 'the application') server.on('request', application)
    attach(server)
    if (first === 'Tutti') server.on('request', application)
    for (const options of BOTH) expect(await changeOn(server, options)).toBeGreaterThan(0)
    const others = ['/', '/socket.iox', '/socket.io/other', '/about?path=/socket.io/']
    for (const path of others) expect(await (await fetch(`${urlOf(server)}${path}`)).text(), path).toBe('application')
    expect(paths).toEqual(others)
  })
}

test('[C7] the WebSocket of Vite’s hot module replacement works beside Tutti', async () => {
  const server = await serveApplication()
  const vite = await createViteServer({
    configFile: false,
    logLevel: 'silent',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: { server }, watch: null },
  })
  onTestFinished(() => vite.close())
  attach(server)
  const socket = new WebSocket(`ws://${addressOf(server)}/?token=${vite.config.webSocketToken}`, 'vite-hmr')
  expect(JSON.parse(await firstMessage(socket))).toMatchObject({ type: 'connected' })
  expect(await changeOn(server)).toBeGreaterThan(0)
  socket.close()
})

test('[C7] an upgrade without a handler is refused at once', async () => {
  const server = await serveApplication()
  attach(server)
  expect(await upgrade(server, '/nothing')).toMatch(/^HTTP\/1\.1 404 /)
})

test('[C7] after close() the HTTP server is clean and can be attached to again', async () => {
  const server = await serveApplication((_request, response) => void response.end('application'))
  const before = traces(server)
  for (let time = 0; time < 3; time += 1) {
    const realtime = attach(server)
    for (const options of BOTH) expect(await changeOn(server, options)).toBeGreaterThan(0)
    await realtime.close()
    expect(traces(server)).toEqual(before)
    expect(await (await fetch(`${urlOf(server)}/socket.io/?EIO=4&transport=polling`)).text()).toBe('application')
  }
})

test('[C7] after close() the HTTP server can end by itself', async () => {
  const server = await serveApplication()
  const realtime = attach(server)
  const clients = await Promise.all(BOTH.map((options) => connectPlain(urlOf(server), options)))
  await realtime.close()
  const error = await new Promise((resolve) => server.close(resolve))
  expect(error).toBeUndefined()
  for (const { socket } of clients) socket.disconnect()
})

test('[C7] a second realtime server on one path throws INVALID_OPTIONS, harmlessly', async () => {
  const server = await serveApplication()
  attach(server)
  const before = traces(server)
  for (const socketIo of [{}, { path: '/socket.io/' }]) {
    expect(() => attach(server, { socketIo })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining('/socket.io/') }),
    )
  }
  expect(traces(server)).toEqual(before)
  for (const options of BOTH) expect(await changeOn(server, options)).toBeGreaterThan(0)
})

test('[C7] realtime servers on two paths of one HTTP server work, and one may close', async () => {
  const server = await serveApplication()
  const [first] = [attach(server), attach(server, { socketIo: { path: '/socket.io/inner' } })]
  for (const options of BOTH) {
    expect(await changeOn(server, options)).toBeGreaterThan(0)
    expect(await changeOn(server, { ...options, path: '/socket.io/inner' })).toBeGreaterThan(0)
  }
  await first.close()
  expect(await changeOn(server, { path: '/socket.io/inner' })).toBeGreaterThan(0)
  expect(await upgrade(server, '/socket.io/')).toMatch(/^HTTP\/1\.1 404 /)
})

test('[C7] options that are refused leave nothing on the HTTP server', async () => {
  const server = await serveApplication()
  const before = traces(server)
  expect(() => attach(server, { shutdown: { drainMs: -1 } })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  expect(traces(server)).toEqual(before)
  attach(server)
})

test('[C7] closing the Socket.IO server leaves the HTTP server open', async () => {
  const server = await serveApplication((_request, response) => void response.end('application'))
  const { io } = attach(server)
  await io.close()
  expect(await (await fetch(urlOf(server))).text()).toBe('application')
})

test('[C7] a Socket.IO server carries one realtime server at a time', async () => {
  const server = await serveApplication()
  const io = new Server(server)
  onTestFinished(() => void io.close())
  const create = () => createRealtimeServer({ io, state: reactiveDriver(memoryDriver()), onWarning: () => {} })
  const first = create()
  expect(create).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  expect(await changeOn(server)).toBeGreaterThan(0)
  await first.close()
  await expect(changeOn(server)).rejects.toMatchObject({ data: { code: 'UNAVAILABLE' } })
  const second = create()
  expect(await changeOn(server)).toBeGreaterThan(0)
  await second.close()
})
