import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises'
import { eventually, seededRandom } from '@tutti/test-kit'
import type { Socket } from 'socket.io'
import { describe, expect, test } from 'vitest'
import { exchange, openRaw, serveOnSocketIo, type RawClient } from './socket-io-server.ts'

const [CONTINUATION, TEXT, PING] = [0, 1, 9]
const FIN = 0x80
const MASKED = 0x80

interface FrameOptions {
  first?: number
  mask?: readonly number[]
}

/** A frame of a client. `first`: its first byte. */
function frameOf(payload: Uint8Array | string, { first = FIN | TEXT, mask = [1, 2, 3, 4] }: FrameOptions = {}): Buffer {
  const bytes = Buffer.from(payload)
  const { length } = bytes
  const header = length < 126 ? [MASKED | length] : length < 65_536 ? [MASKED | 126, length >> 8, length & 255] : [MASKED | 127, 0, 0, 0, 0]
  if (length >= 65_536) header.push(...[24, 16, 8, 0].map((bits) => (length >> bits) & 255))
  return Buffer.concat([Buffer.from([first, ...header, ...mask]), bytes.map((byte, at) => byte ^ (mask[at % 4] ?? 0))])
}

interface OpenStream extends Pick<RawClient, 'stream' | 'received'> {
  readonly closed: Promise<number>
  /** Sends bytes, and waits until the server has read them: they end with a ping, or are followed by one. */
  readonly sendRead: (bytes: Uint8Array) => Promise<void>
}

/** A client that sends bytes. */
async function openStream(url: string): Promise<OpenStream> {
  const { webSocket, stream, received } = await openRaw(url)
  const closed = once(webSocket, 'close').then(([code]) => Number(code))
  const sendRead = async (bytes: Uint8Array): Promise<void> => {
    stream.write(bytes)
    await once(webSocket, 'pong', { signal: AbortSignal.timeout(10_000) })
  }
  return { stream, received, closed, sendRead }
}

/** The messages that ws reads of a socket's client, from now on. */
function readByWs({ conn }: Socket): string[] {
  const webSocket: unknown = Reflect.get(conn.transport, 'socket')
  if (!(webSocket instanceof Object)) throw new Error('no WebSocket')
  const messages: string[] = []
  const emit: unknown = Reflect.get(webSocket, 'emit')
  if (typeof emit !== 'function') throw new Error('no emitter')
  Reflect.set(webSocket, 'emit', (event: string, ...args: unknown[]): unknown => {
    if (event === 'message') messages.push(String(args[0]))
    return Reflect.apply(emit, webSocket, [event, ...args])
  })
  return messages
}

const setOf = (id: number, value: unknown = 1): string => `42${id}["storage:set",${JSON.stringify({ key: 'k', value })}]`

/** The ids of the acknowledgements. */
const repliesOf = (received: readonly string[]): number[] =>
  received.flatMap((packet) => /^43(\d+)\[\{"ok":true/.exec(packet)?.[1] ?? []).map(Number)

describe('messages of the protocol', () => {
  test('are read before ws with its installed version, and all others by ws', async () => {
    const { connect } = await serveOnSocketIo()
    const ends = await connect()
    const messages = readByWs(ends.socket)
    await exchange(ends)
    expect(messages).toEqual([])
    ends.socket.on('app:note', () => {})
    ends.client.socket.emit('app:note', 'ü'.repeat(1_000))
    await eventually(() => expect(messages).toEqual([`42["app:note","${'ü'.repeat(1_000)}"]`]))
  })

  test('have their replies in order, however their frames are cut and mixed with others', async () => {
    const { io, url } = await serveOnSocketIo(
      { maxHttpBufferSize: 200_000 },
      { limits: { requestsPerSecond: 1e6, mutationsPerSecond: 1e6 } },
    )
    const notes: number[] = []
    io.on('connection', (socket) => void socket.on('note', (number: number) => notes.push(number)))
    const { stream, received } = await openStream(url)
    for (let seed = 1; seed <= 30; seed += 1) {
      const random = seededRandom(seed)
      const mask = (): number[] => Array.from({ length: 4 }, () => random.below(256))
      const frames = Array.from({ length: 40 }, (_, id): Buffer => {
        const text = setOf(id, 'ü'.repeat(random.pick([0, 10, 60, 300, 40_000])))
        const kind = random.below(6)
        if (kind === 0) return Buffer.concat([frameOf(`42["note",${id}]`, { mask: mask() }), frameOf(text, { mask: mask() })])
        if (kind === 1) return Buffer.concat([frameOf('ping', { first: FIN | PING, mask: mask() }), frameOf(text, { mask: mask() })])
        if (kind > 2) return frameOf(text, { mask: mask() })
        const bytes = Buffer.from(text)
        const cut = random.below(bytes.length + 1)
        return Buffer.concat([
          frameOf(bytes.subarray(0, cut), { first: TEXT, mask: mask() }),
          frameOf('between', { first: FIN | PING, mask: mask() }),
          frameOf(bytes.subarray(cut), { first: FIN | CONTINUATION, mask: mask() }),
        ])
      })
      received.length = 0
      const bytes = Buffer.concat(frames)
      for (let at = 0; at < bytes.length;) {
        const end = at + 1 + random.below(random.pick([3, 50, 1_000, 100_000]))
        stream.write(bytes.subarray(at, end))
        if (random.below(3) === 0) await turn()
        at = end
      }
      await eventually(() => expect(repliesOf(received), `seed ${seed}`).toHaveLength(40))
      expect(repliesOf(received), `seed ${seed}`).toEqual(Array.from({ length: 40 }, (_, id) => id))
    }
    expect(notes.length).toBeGreaterThan(50)
  })

  test('have their replies in order where ws read one of them in the same turn', async () => {
    const { io, url } = await serveOnSocketIo({ maxHttpBufferSize: 200_000 })
    const { received } = await openStream(url)
    const [socket] = io.sockets.sockets.values()
    const stream: unknown = Reflect.get(Reflect.get(socket?.conn.transport ?? {}, 'socket'), '_socket')
    if (!(stream instanceof Duplex)) throw new Error('no stream')
    // A stream that was paused emits several chunks without a tick between them. A text of that length is left to ws.
    stream.emit('data', frameOf(setOf(1, 'x'.repeat(70_000))))
    stream.emit('data', frameOf(setOf(2)))
    await eventually(() => expect(repliesOf(received)).toHaveLength(2))
    expect(repliesOf(received)).toEqual([1, 2])
  })

  test.each<[what: string, frame: Buffer, code: number]>([
    [
      'bytes that are no UTF-8',
      frameOf(Buffer.concat([Buffer.from(setOf(1, 'x').slice(0, -3)), Buffer.from([0xff]), Buffer.from('"}]')])),
      1007,
    ],
    ['a payload over the limit', frameOf(setOf(1, 'x'.repeat(2_000))), 1009],
    ['a reserved bit', frameOf(setOf(1), { first: FIN | 0x20 | TEXT }), 1002],
    ['no mask', Buffer.concat([Buffer.from([FIN | TEXT, setOf(1).length]), Buffer.from(setOf(1))]), 1002],
    ['a new message within a fragmented one', Buffer.concat([frameOf('42[', { first: TEXT }), frameOf(setOf(1))]), 1002],
  ])('with %s end the connection as ws ends it', async (_what, frame, code) => {
    const { url } = await serveOnSocketIo({ maxHttpBufferSize: 1_000 })
    const { stream, received, closed } = await openStream(url)
    stream.write(Buffer.concat([frameOf(setOf(0)), frame, frameOf(setOf(2))]))
    expect(await closed).toBe(code)
    expect(repliesOf(received)).not.toContain(2)
  })

  test('begin only where ws begins a frame', async () => {
    const { url } = await serveOnSocketIo()
    const { stream, received, sendRead } = await openStream(url)
    // In both cases, the bytes of a chunk are those of a message, although the client has sent none.
    const inPing = frameOf(frameOf(setOf(1)), { first: FIN | PING, mask: [0, 0, 0, 0] })
    stream.write(inPing.subarray(0, 6))
    await delay(20)
    await sendRead(inPing.subarray(6))

    const text = Buffer.from(setOf(2))
    const second = frameOf(text.subarray(6), { first: FIN | PING })
    const mask = text.subarray(0, 4).map((byte, at) => byte ^ (second[at] ?? 0))
    const hidden = text.map((byte, at) => byte ^ (mask[at % 4] ?? 0))
    // The length and the mask of a ping of one byte, and another ping.
    const pings = Buffer.concat([Buffer.from([FIN | PING, MASKED | 1, MASKED | text.length, ...mask]), hidden])
    stream.write(pings.subarray(0, 1))
    await delay(20)
    await sendRead(pings.subarray(1))
    stream.write(frameOf(setOf(3)))
    await eventually(() => expect(repliesOf(received)).toEqual([3]))
  })

  test('within a fragmented message end the connection', async () => {
    const { url } = await serveOnSocketIo()
    const { stream, received, closed, sendRead } = await openStream(url)
    await sendRead(Buffer.concat([frameOf('42[', { first: TEXT }), frameOf('', { first: FIN | PING })]))
    stream.write(frameOf(setOf(1)))
    expect([await closed, repliesOf(received)]).toEqual([1002, []])
  })

  test('are left to ws where the application listens to it or its parts are unexpected', async () => {
    const { io, connect } = await serveOnSocketIo()
    const seen: string[] = []
    const spoil = ({ transport }: { transport: object }): void => {
      const webSocket: unknown = Reflect.get(transport, 'socket')
      const receiver: unknown = webSocket instanceof Object ? Reflect.get(webSocket, '_receiver') : undefined
      if (receiver instanceof Object) Reflect.set(receiver, '_maxPayload', undefined)
    }
    io.engine.on('connection', spoil)
    const unexpected = await connect()
    const messages = readByWs(unexpected.socket)
    await exchange(unexpected)
    expect(messages).toHaveLength(3)
    io.engine.off('connection', spoil)
    const observed = await connect()
    const webSocket: unknown = Reflect.get(observed.socket.conn.transport, 'socket')
    if (!(webSocket instanceof Object)) throw new Error('no WebSocket')
    Reflect.apply(Reflect.get(webSocket, 'on'), webSocket, ['message', (data: Buffer) => seen.push(data.toString())])
    await exchange(observed)
    expect(seen).toHaveLength(3)
  })
})
