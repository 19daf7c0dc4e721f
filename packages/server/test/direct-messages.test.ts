import { eventually } from '@tutti/test-kit'
import type { Socket } from 'socket.io'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { exchange, openRaw, serveOnSocketIo, type RawClient } from './socket-io-server.ts'

/** The packets that Socket.IO unpacks of this client, from now on. */
function unpacked({ client }: Socket): string[] {
  const packets: string[] = []
  const decoder: unknown = Reflect.get(client, 'decoder')
  if (typeof decoder !== 'object' || decoder === null) throw new Error('Socket.IO has no decoder.')
  const add: unknown = Reflect.get(decoder, 'add')
  if (typeof add !== 'function') throw new Error('The decoder has no method `add`.')
  Reflect.set(decoder, 'add', (packet: string) => {
    packets.push(packet)
    Reflect.apply(add, decoder, [packet])
  })
  return packets
}

/** Sends packets in one piece. */
function sendTogether({ webSocket, stream }: RawClient, packets: string[]): void {
  stream.cork()
  for (const packet of packets) webSocket.send(packet)
  stream.uncork()
}

const setOf = (key: string): string => `421["storage:set",{"key":"${key}","value":1}]`
const REMOVAL_OF_B = '422["storage:remove",{"key":"b"}]'

describe('messages of the protocol', () => {
  test('do not go through Socket.IO with the installed versions of it', async () => {
    const { connect } = await serveOnSocketIo()
    const ends = await connect()
    const packets = unpacked(ends.socket)
    await exchange(ends)
    expect(packets).toEqual([])
    ends.socket.on('app:note', () => {})
    ends.client.socket.emit('app:note', 1)
    await eventually(() => expect(packets).toEqual(['2["app:note",1]']))
  })

  test('go through Socket.IO where `directFrames` is false', async () => {
    const { connect } = await serveOnSocketIo({}, { directFrames: false })
    const ends = await connect()
    const packets = unpacked(ends.socket)
    await exchange(ends)
    expect(packets).toHaveLength(3)
  })

  test('are taken directly after an upgrade from polling', async () => {
    const { connect } = await serveOnSocketIo()
    const ends = await connect({ transports: ['polling', 'websocket'] })
    await eventually(() => expect(ends.socket.conn.transport.name).toBe('websocket'))
    const packets = unpacked(ends.socket)
    await exchange(ends)
    expect(packets).toEqual([])
  })

  test('keep their order, also where the application observes some of them', async () => {
    const order: string[] = []
    const { io, url } = await serveOnSocketIo({}, { authorize: ({ target }) => order.push(Object.values(target).join()) > 0 })
    io.on('connection', (socket) => void socket.on('storage:remove', () => {}))
    const raw = await openRaw(url)
    const { received } = raw
    const rounds = 20
    for (let round = 0; round < rounds; round += 1)
      sendTogether(raw, [setOf('a'), REMOVAL_OF_B, setOf('c'), '42["app"]', setOf('d'), REMOVAL_OF_B])
    await eventually(() => expect(received.filter((packet) => packet.startsWith('43'))).toHaveLength(5 * rounds))
    expect(order).toEqual(Array.from({ length: rounds }, () => ['a', 'b', 'c', 'd', 'b']).flat())
  })

  test('with the same list of keys are answered to each client, with what is stored then', async () => {
    const { connect } = await serveOnSocketIo()
    const { client: writer } = await connect()
    const { client: other } = await connect()
    for (const value of [1, 2, 3]) {
      const { version } = await writer.request('storage:set', { key: 'a', value })
      const [a, b] = [{ key: 'a', value, version }, { key: 'b' }]
      for (const client of [writer, other, writer]) {
        const subscribe = (...keys: { key: string; version?: number }[]): Promise<object> => client.request('storage:subscribe', { keys })
        expect(await subscribe({ key: 'a' }, { key: 'b' })).toMatchObject({ entries: [a, b] })
        expect(await subscribe({ key: 'b' })).toMatchObject({ entries: [b] })
        expect(await subscribe({ key: 'b' })).toMatchObject({ entries: [b] })
        expect(await subscribe({ key: 'a', version })).toMatchObject({ entries: [] })
        expect(await subscribe({ key: 'b' }, { key: 'a', version })).toMatchObject({ entries: [b] })
        expect(await subscribe({ key: 'a', version }, { key: 'b' })).toMatchObject({ entries: [b] })
        const refused = { code: 'INVALID_KEY' }
        for (const key of ['a*', 'a*']) await expect(subscribe({ key })).rejects.toMatchObject(refused)
      }
    }
  })

  test('behind the end of a connection are ignored', async () => {
    const order: string[] = []
    const { url } = await serveOnSocketIo({}, { authorize: ({ target }) => order.push(Object.values(target).join()) > 0 })
    const raw = await openRaw(url)
    const { webSocket } = raw
    sendTogether(raw, [setOf('a'), '41', setOf('b')])
    await eventually(() => expect(order).toEqual(['a']))
    webSocket.close()
    await eventually(() => expect(webSocket.readyState).toBe(WebSocket.CLOSED))
    expect(order).toEqual(['a'])
  })

  test('count as signs of life after a ping', async () => {
    const { io, url } = await serveOnSocketIo({ pingInterval: 50 })
    const sockets: Socket[] = []
    io.on('connection', (socket) => void sockets.push(socket))
    const { webSocket, received } = await openRaw(url)
    const [socket] = sockets
    if (socket === undefined) throw new Error('not connected')
    const packets = unpacked(socket)
    await eventually(() => expect(received.at(-1)).toBe('2'))
    webSocket.send(setOf('k'))
    await eventually(() => expect(packets).toEqual([setOf('k').slice(1)]))
    const pings = received.filter((packet) => packet === '2').length
    webSocket.send('3')
    await eventually(() => expect(received.filter((packet) => packet === '2').length).toBeGreaterThan(pings))
  })

  test.each(['42["storage:set",{', '4200000000000000000001["storage:get",{}', '42["storage:set"]]', '42[]'])(
    'that are no packets end the connection: %s',
    async (packet) => {
      const { url } = await serveOnSocketIo()
      const { webSocket } = await openRaw(url)
      webSocket.send(packet)
      await eventually(() => expect(webSocket.readyState).toBe(WebSocket.CLOSED))
    },
  )

  test('are left to an application that observes the packets of a connection', async () => {
    const { connect } = await serveOnSocketIo()
    const { client, socket } = await connect()
    const observed: unknown[] = []
    socket.conn.on('packet', ({ type }: { type: string }) => observed.push(type))
    const packets = unpacked(socket)
    expect(await client.request('storage:set', { key: 'k', value: 1 })).toMatchObject({ ok: true })
    expect([observed, packets]).toEqual([['message'], [expect.stringContaining('storage:set')]])
  })
})
