import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { seededRandom, eventually, startTcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { upgradeOf } from './serve.ts'
import { countQueued, serveOnSocketIo, type Ends } from './socket-io-server.ts'

const UNLIMITED = { backpressure: { maxUnsentPackets: 1_000_000, maxUnsentBytes: 1_000_000_000 } }

/** Sends numbers to the client, some by Socket.IO and some by the server. `size`: characters that each carries besides. */
function createCounter({ socket, connection }: Ends, random: () => number, size: () => number) {
  const counter = {
    sent: 0,
    send: (): void => {
      const number = counter.sent++
      const filling = 'ü'.repeat(size())
      if (random() < 0.5) socket.emit('app:count', number, filling)
      else connection.send('server:draining', Object.assign({ reconnectAfterMs: number }, { filling }))
    },
    /** A few in one turn of the event loop. */
    burst: (most: number): void => {
      for (let left = Math.floor(random() * (most + 1)); left > 0; left -= 1) counter.send()
    },
  }
  return counter
}

/** The numbers that the client received, in order. */
const numbersOf = ({ client }: Ends): number[] =>
  client.received.flatMap(({ name, payload }) => {
    if (name === 'app:count') return [payload as number]
    return name === 'server:draining' ? [(payload as { reconnectAfterMs: number }).reconnectAfterMs] : []
  })

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)

const queueOf = (conn: object): readonly unknown[] => Reflect.get(conn, 'writeBuffer')

/** The TCP socket of a connection. */
const streamOf = (conn: { transport: object }): { stream: Duplex } => ({
  stream: Reflect.get(Reflect.get(conn.transport, 'socket'), '_socket'),
})

const seed = Number(process.env['TUTTI_SEED'] ?? 20_260)

test('[S4] packets of application and server arrive in the order of sending', async () => {
  const { connect } = await serveOnSocketIo({}, UNLIMITED)
  const ends = await connect()
  const random = seededRandom(seed).next
  const counter = createCounter(ends, random, () => (random() < 0.05 ? 100_000 : Math.floor(random() * 200)))
  for (let turn = 0; turn < 300; turn += 1) {
    counter.burst(6)
    await nextTurn()
  }
  await eventually(() => expect(numbersOf(ends)).toHaveLength(counter.sent))
  expect(numbersOf(ends), `seed ${seed}`).toEqual(upTo(counter.sent))
})

test('[S4] they do so across the upgrade from polling to a WebSocket', async () => {
  const { io, connect } = await serveOnSocketIo({}, UNLIMITED)
  const random = seededRandom(seed).next
  for (let round = 0; round < 5; round += 1) {
    const ends = await connect({ transports: ['polling', 'websocket'] })
    const counter = createCounter(ends, random, () => Math.floor(random() * 300))
    const { conn } = ends.socket
    expect(conn.transport.name).toBe('polling')
    let turnsAfter = 0
    while (turnsAfter < 50) {
      counter.burst(4)
      if (conn.transport.name === 'websocket') turnsAfter += 1
      await nextTurn()
    }
    await eventually(() => expect(numbersOf(ends)).toHaveLength(counter.sent))
    expect(numbersOf(ends), `seed ${seed}, round ${round}`).toEqual(upTo(counter.sent))
    const queued = countQueued(io)
    ends.connection.send('server:status', { degraded: false })
    expect(queued.packets).toBe(0)
  }
})

test('[S4] they do so to a client that stops reading for a while', async () => {
  const { io, url, connect } = await serveOnSocketIo({}, UNLIMITED)
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(new URL(url).port) })
  onTestFinished(() => proxy.close())
  const ends = await connect({}, `http://127.0.0.1:${proxy.port}`)
  const queued = countQueued(io)
  const random = seededRandom(seed).next
  const counter = createCounter(ends, random, () => Math.floor(random() * 40_000))
  for (let stall = 0; stall < 3; stall += 1) {
    proxy.stall('down')
    const before = queued.packets
    // The network takes some; the rest waits in the queue of Engine.IO.
    const { conn } = ends.socket
    while (queueOf(conn).length < 20) {
      counter.burst(5)
      await nextTurn()
    }
    proxy.flow()
    await eventually(() => expect(numbersOf(ends)).toHaveLength(counter.sent))
    expect(queued.packets - before).toBeGreaterThanOrEqual(20)
    counter.burst(5)
  }
  await eventually(() => expect(numbersOf(ends)).toHaveLength(counter.sent))
  expect(numbersOf(ends), `seed ${seed}`).toEqual(upTo(counter.sent))
})

test('[C4] the stream of a client that does not read is bounded, the rest is queued', async () => {
  const { url, connect } = await serveOnSocketIo({}, UNLIMITED)
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(new URL(url).port) })
  onTestFinished(() => proxy.close())
  const { socket, connection } = await connect({}, `http://127.0.0.1:${proxy.port}`)
  const { stream } = streamOf(socket.conn)
  proxy.stall('down')
  const notice = { reconnectAfterMs: 0, filling: 'x'.repeat(10_000) }
  let most = 0
  while (queueOf(socket.conn).length < 50) {
    for (let count = 0; count < 400; count += 1) {
      connection.send('server:draining', notice)
      most = Math.max(most, stream.writableLength)
    }
    most = Math.max(most, stream.writableLength)
    await nextTurn()
  }
  // What is collected at most, and one packet of Engine.IO.
  expect(most).toBeLessThan(65_536 + 3 * 10_100)
  proxy.flow()
})

test('[X1] what was sent right before a connection is closed arrives', async () => {
  const { connect } = await serveOnSocketIo()
  for (const close of [
    ({ socket }: Ends) => socket.disconnect(true),
    ({ socket }: Ends) => socket.disconnect(),
    ({ connection }: Ends) => connection.end(),
  ]) {
    const ends = await connect()
    const counter = createCounter(
      ends,
      () => 1,
      () => 1_000,
    )
    const closed = new Promise((resolve) => ends.client.socket.once('disconnect', resolve))
    for (let count = 0; count < 20; count += 1) counter.send()
    close(ends)
    await closed
    expect(numbersOf(ends)).toEqual(upTo(20))
  }
})

test('[S4] acknowledgements and volatile packets keep their places among the others', async () => {
  const { connect } = await serveOnSocketIo()
  const { client, socket, connection } = await connect()
  const order: unknown[] = []
  client.socket.on('app:volatile', (number: number) => order.push(number))
  client.socket.on('server:draining', ({ reconnectAfterMs }: { reconnectAfterMs: number }) => order.push(reconnectAfterMs))
  socket.on('app:ask', (number: number, reply: (answer: number) => void) => {
    socket.volatile.emit('app:volatile', number + 1)
    connection.send('server:draining', { reconnectAfterMs: number + 2 })
    reply(number + 3)
    connection.send('server:draining', { reconnectAfterMs: number + 4 })
  })
  for (let number = 0; number < 500; number += 5) {
    order.push(number)
    client.socket.emit('app:ask', number, (answer: number) => order.push(answer))
    await eventually(() => expect(order.at(-1)).toBe(number + 4))
  }
  expect(order).toEqual(upTo(500))
})

test('[C1] the packets of a handshake are sent in two writes', async () => {
  const { io, url } = await serveOnSocketIo()
  let writes = 0
  io.engine.on('initial_headers', (_headers: unknown, { socket }: { socket: Duplex }) => {
    for (const name of ['_write', '_writev'] as const) {
      const write: unknown = socket[name]
      if (typeof write !== 'function') throw new Error(`no ${name}`)
      socket[name] = (...given: unknown[]) => {
        writes += 1
        Reflect.apply(write, socket, given)
      }
    }
  })
  const port = Number(new URL(url).port)
  const tcp = connectTcp(port, '127.0.0.1')
  onTestFinished(() => void tcp.destroy())
  let text = ''
  tcp.on('data', (chunk) => (text += chunk.toString('latin1')))
  tcp.write(upgradeOf(port))
  await eventually(() => expect(text).toMatch(/^HTTP\/1\.1 101 [\s\S]*0\{"sid":.*\}$/))
  expect(writes).toBe(1)
  // The packet `40`, masked with zeros.
  tcp.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30]))
  await eventually(() => expect(text).toMatch(/40\{"sid":[\s\S]*42\["server:hello",.*\]$/))
  expect(writes).toBe(2)
})
