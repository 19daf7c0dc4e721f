import { createServer } from 'node:http'
import { eventually } from '@tutti/test-kit'
import type { Socket } from 'socket.io'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { exchange, serveOnSocketIo } from './socket-io-server.ts'

const EVENTS = ['error', 'ready', 'packet', 'drain', 'close']

/** The listeners of a transport that Engine.IO has. */
const listenersOf = ({ conn }: Socket): unknown[] => EVENTS.flatMap((name) => conn.transport.listeners(name))

/** Waits until it has been compacted. */
const compacted = ({ socket }: { socket: Socket }): Promise<void> =>
  eventually(() => expect(Reflect.get(socket, 'acks')).not.toBeInstanceOf(Map))

/** Connections whose listeners are shared end as others do. */
const ends = [
  { reason: 'transport close', end: (socket: Socket) => socket.conn.transport.emit('close') },
  { reason: 'transport error', end: (socket: Socket) => socket.conn.transport.emit('error', new Error('broken')) },
  { reason: 'server namespace disconnect', end: (socket: Socket) => socket.disconnect(true) },
  { reason: 'forced close', end: (socket: Socket) => socket.conn.close(true) },
]

describe('a connection on a WebSocket', () => {
  test('has the listeners of its transport in common with others, and small collections', async () => {
    const { connect } = await serveOnSocketIo()
    const [one, other] = [await connect(), await connect()]
    await compacted(other)
    expect(listenersOf(one.socket)).toEqual(listenersOf(other.socket))
    expect(listenersOf(one.socket)).toHaveLength(EVENTS.length)
    expect(Reflect.get(one.socket.client, 'sockets')).not.toBeInstanceOf(Map)
    expect(Object.getPrototypeOf(Reflect.get(one.socket.conn, '_events'))).toBeNull()
    await exchange(one)
  })

  test('is pinged, acknowledges messages of the application and joins namespaces', async () => {
    const { io, connect } = await serveOnSocketIo({ pingInterval: 20, pingTimeout: 5_000 })
    const end = await connect()
    const { client, socket } = end
    await compacted(end)
    let heartbeats = 0
    socket.conn.on('heartbeat', () => (heartbeats += 1))
    await eventually(() => expect(heartbeats).toBeGreaterThan(1))
    client.socket.on('app:question', (text: string, reply: (answer: string) => void) => reply(`${text}!`))
    expect(await Promise.all(['a', 'b', 'c'].map((text) => socket.emitWithAck('app:question', text)))).toEqual(['a!', 'b!', 'c!'])
    io.of('/app').on('connection', (joined: Socket) => void joined.emit('app:welcome'))
    const namespace = client.socket.io.socket('/app')
    await new Promise<void>((resolve) => void namespace.once('app:welcome', resolve))
    namespace.disconnect()
    expect(await socket.emitWithAck('app:question', 'd')).toBe('d!')
  })

  test('is closed when its client does not reply to a ping', async () => {
    const { io, url } = await serveOnSocketIo({ pingInterval: 20, pingTimeout: 20 })
    const closed = new Promise((resolve) => void io.on('connection', (socket: Socket) => void socket.on('disconnect', resolve)))
    const webSocket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
    onTestFinished(() => webSocket.terminate())
    webSocket.once('message', () => webSocket.send('40'))
    expect(await closed).toBe('ping timeout')
  })

  test.each(ends)('ends once, with the reason $reason', async ({ reason, end }) => {
    const { io, connect } = await serveOnSocketIo()
    const { socket } = await connect()
    await compacted(await connect())
    const reasons: string[] = []
    socket.on('disconnect', (given) => reasons.push(given))
    const { transport } = socket.conn
    end(socket)
    transport.emit('close')
    transport.emit('error', new Error('later'))
    await eventually(() => expect([reasons, io.engine.clientsCount]).toEqual([[reason], 1]))
  })

  test.each(['before', 'after'])('may move to another WebSocket %s it is compacted, and outlives the first', async (moment) => {
    const { io, url, connect } = await serveOnSocketIo()
    const end = await connect()
    const { client, socket } = end
    const { conn } = socket
    const { transport } = conn
    await client.request('storage:get', { key: 'k' })
    if (moment === 'after') await compacted(end)
    const second = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid=${Reflect.get(conn, 'id')}`)
    onTestFinished(() => second.terminate())
    second.once('open', () => second.send('2probe'))
    second.once('message', () => second.send('5'))
    await new Promise((resolve) => void conn.once('upgrade', resolve))
    await compacted(end)
    transport.emit('close')
    transport.emit('error', new Error('of the first one'))
    expect([conn.readyState, io.engine.clientsCount, socket.connected]).toEqual(['open', 1, true])
    const received = new Promise((resolve) => void second.once('message', (data: Buffer) => resolve(data.toString())))
    socket.emit('app:note')
    expect(await received).toBe('42["app:note"]')
  })
})

test('a connection remains when Socket.IO is attached to another HTTP server', async () => {
  const { io, connect } = await serveOnSocketIo()
  const end = await connect()
  const { client, socket } = end
  await compacted(end)
  const { engine } = io
  onTestFinished(() => void engine.close())
  io.attach(createServer())
  const received = new Promise((resolve) => void socket.on('app:note', resolve))
  client.socket.emit('app:note', 'text')
  expect(await received).toBe('text')
})

describe('is as Engine.IO made it:', () => {
  test('a connection on polling', async () => {
    const { connect } = await serveOnSocketIo()
    const { socket } = await connect({ transports: ['polling'] })
    await compacted(await connect())
    expect(socket.conn.transport.listeners('packet').map(({ name }) => name)).toEqual(['bound onPacket'])
  })

  test('a transport with listeners of the application', async () => {
    const { io, connect } = await serveOnSocketIo()
    let packets = 0
    io.engine.on('connection', ({ transport }: Socket['conn']) => void transport.on('packet', () => (packets += 1)))
    const end = await connect()
    const { client, socket } = end
    await compacted(end)
    client.socket.emit('app:note')
    await eventually(() => expect(packets).toBeGreaterThan(0))
    expect(socket.conn.transport.listeners('packet')[0]?.name).toBe('bound onPacket')
  })

  test('a transport with other listeners than expected', async () => {
    const { io, connect } = await serveOnSocketIo()
    io.engine.on('connection', ({ transport }: Socket['conn']) => {
      const [onReady] = transport.listeners('ready')
      transport.removeAllListeners('ready').on('ready', () => onReady?.call(transport))
    })
    const end = await connect()
    await compacted(end)
    await exchange(end)
    expect(end.socket.conn.transport.listeners('packet').map(({ name }) => name)).toEqual(['bound onPacket'])
  })

  test('a connection where `directFrames` is false', async () => {
    const { connect } = await serveOnSocketIo({}, { directFrames: false })
    const end = await connect()
    await exchange(end)
    // On another server, which compacts its connections after the same time.
    const { connect: connectOther } = await serveOnSocketIo()
    await compacted(await connectOther())
    expect(end.socket.conn.transport.listeners('packet').map(({ name }) => name)).toEqual(['bound onPacket'])
    expect(Reflect.get(end.socket, 'acks')).toBeInstanceOf(Map)
  })
})
