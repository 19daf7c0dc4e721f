import { describe, expect, onTestFinished, test } from 'vitest'
import { eventually } from '@tutti/test-kit'
import type { ServerOptions } from 'socket.io'
import type { ManagerOptions } from 'socket.io-client'
import { WebSocket } from 'ws'
import { countQueued, exchange, jsonParser, serveOnSocketIo } from './socket-io-server.ts'

describe('frames', () => {
  test('do not go through Socket.IO with the installed versions of it', async () => {
    const { io, connect } = await serveOnSocketIo()
    const ends = await connect()
    const queued = countQueued(io)
    await exchange(ends)
    expect(queued.packets).toBe(0)
  })

  test('go through Socket.IO where `directFrames` is false', async () => {
    const { io, connect } = await serveOnSocketIo({}, { directFrames: false })
    const ends = await connect()
    const queued = countQueued(io)
    await exchange(ends)
    expect(queued.packets).toBeGreaterThanOrEqual(5)
  })

  test.each([10, 126, 70_000, 500_000])('carry values of %d characters beyond ASCII', async (length) => {
    const { connect } = await serveOnSocketIo()
    const [writer, reader] = [await connect(), await connect()]
    await reader.client.request('storage:subscribe', { keys: [{ key: 'k' }] })
    const value = 'ü'.repeat(length / 2) + 'x'.repeat(length / 2)
    await writer.client.request('storage:set', { key: 'k', value })
    await eventually(() => expect(reader.client.of('storage:updated')).toMatchObject([{ value }]))
    expect(await reader.client.request('storage:get', { key: 'k' })).toMatchObject({ value })
  })
})

describe('Socket.IO serves', () => {
  const servers: [string, Partial<ServerOptions>, Partial<ManagerOptions>][] = [
    ['a parser of the application', { parser: jsonParser }, { parser: jsonParser }],
    ['connectionStateRecovery', { connectionStateRecovery: {} }, {}],
    ['compression', { perMessageDeflate: { threshold: 0 } }, {}],
    ['polling alone', { transports: ['polling'] }, { transports: ['polling'] }],
  ]

  test.each(servers)('%s', async (_, socketIo, manager) => {
    const { io, connect } = await serveOnSocketIo(socketIo)
    const ends = await connect(manager)
    const queued = countQueued(io)
    await exchange(ends)
    expect(queued.packets).toBeGreaterThanOrEqual(5)
  })

  test('clients of Engine.IO 3', async () => {
    const { url } = await serveOnSocketIo({ allowEIO3: true })
    const webSocket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=3&transport=websocket`)
    onTestFinished(() => webSocket.close())
    const received: string[] = []
    webSocket.on('message', (data: Buffer) => received.push(data.toString()))
    await eventually(() => expect(received.at(-1)).toMatch(/^42\["server:hello",/))
    webSocket.send('421["storage:get",{"key":"k"}]')
    await eventually(() => expect(received.at(-1)).toMatch(/^431\[\{"ok":true/))
  })

  test('a connection whose internals are others than expected', async () => {
    const { io, connect } = await serveOnSocketIo()
    io.engine.on('connection', (conn: object) => Reflect.set(conn, 'protocol', 'unknown'))
    const ends = await connect()
    const queued = countQueued(io)
    await exchange(ends)
    expect(queued.packets).toBeGreaterThanOrEqual(5)
  })
})

describe('an application that observes its sockets', () => {
  test('receives our messages by onAny, `use` and `on`, and each is acknowledged once', async () => {
    const { connect } = await serveOnSocketIo()
    const { client, socket } = await connect()
    const observed: unknown[] = []
    let acknowledge: (reply: unknown) => void = () => {}
    const listener = (name: string, message: unknown, reply: (reply: unknown) => void): void => {
      observed.push([name, message])
      acknowledge = reply
    }
    socket.onAny(listener)
    expect(await client.request('storage:set', { key: 'k', value: 1 })).toMatchObject({ ok: true })
    acknowledge('a second time')
    socket.offAny(listener)
    socket.on('storage:get', (message: unknown) => observed.push(['on', message]))
    expect(await client.request('storage:get', { key: 'k' })).toMatchObject({ value: 1 })
    socket.removeAllListeners('storage:get')
    socket.use(([name], next) => {
      observed.push(['use', name])
      next()
    })
    expect(await client.request('storage:get', { key: 'k' })).toMatchObject({ value: 1 })
    expect(observed).toEqual([
      ['storage:set', { key: 'k', value: 1 }],
      ['on', { key: 'k' }],
      ['use', 'storage:get'],
    ])
  })

  test('receives what is sent to them by onAnyOutgoing, as long as it listens', async () => {
    const { io, connect } = await serveOnSocketIo()
    const ends = await connect()
    const observed: unknown[] = []
    ends.socket.onAnyOutgoing((...given: unknown[]) => observed.push(given))
    await exchange(ends)
    expect(observed).toEqual([
      ['event:received', { channel: 'c', data: { text: 'ü' } }],
      ['server:status', { degraded: false }],
    ])
    ends.socket.offAnyOutgoing()
    const queued = countQueued(io)
    await exchange(ends)
    expect([observed.length, queued.packets]).toEqual([2, 0])
  })

  test('receives the packets of Engine.IO by packetCreate', async () => {
    const { connect } = await serveOnSocketIo()
    const ends = await connect()
    const packets: unknown[] = []
    ends.socket.conn.on('packetCreate', ({ data }: { data: unknown }) => packets.push(data))
    ends.connection.send('server:status', { degraded: true })
    expect(packets).toEqual(['2["server:status",{"degraded":true}]'])
  })

  test('has its own messages, acknowledgements and rooms beside ours', async () => {
    const { io, connect } = await serveOnSocketIo()
    const ends = await connect()
    const { client, socket } = ends
    socket.on('app:ask', (question: unknown, reply: (answer: unknown) => void) => reply([question, 'answer']))
    expect(await client.socket.emitWithAck('app:ask', { deep: ['question'] })).toEqual([{ deep: ['question'] }, 'answer'])
    client.socket.once('app:question', (reply: (answer: string) => void) => reply('yes'))
    expect(await socket.emitWithAck('app:question')).toBe('yes')
    await client.request('storage:subscribe', { keys: [{ key: 'k' }] })
    expect([...socket.rooms]).toEqual([socket.id])
    io.to(socket.id).emit('app:note', Buffer.from('binary'))
    await eventually(() => expect(client.of('app:note')).toEqual([Buffer.from('binary')]))
  })
})
