import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { eventually, startTcpProxy, type TcpProxy } from '../src/index.ts'

/** A server that echoes each byte, a proxy in front of it, and the bytes that both have received. */
async function echo() {
  const seen = { server: '', connections: 0 }
  const server = createServer((socket) => {
    seen.connections += 1
    socket
      .on('error', () => {})
      .on('data', (data) => {
        seen.server += data.toString()
        socket.write(data)
      })
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: address.port })
  onTestFinished(async () => {
    await proxy.close()
    server.close()
  })
  return { proxy, seen, address }
}

/** A client of the proxy and its received bytes. */
async function client(proxy: TcpProxy) {
  const socket: Socket = connect(proxy.port, proxy.host)
  onTestFinished(() => void socket.destroy())
  const received = { text: '', closed: false }
  socket.on('error', () => {})
  socket.on('data', (data) => (received.text += data.toString())).on('close', () => (received.closed = true))
  await once(socket, 'connect')
  return { socket, received, say: (text: string) => void socket.write(text) }
}

test('a proxy forwards everything, and closes when one side does', async () => {
  const { proxy, seen } = await echo()
  const { socket, received, say } = await client(proxy)
  say('hello')
  await eventually(() => expect(received.text).toBe('hello'))
  expect(proxy.connections[0]?.sent).toBe('hello')
  socket.end()
  await eventually(() => expect(proxy.connections[0]?.open).toBe(false))
  expect(seen.server).toBe('hello')
})

test('a cut ends current connections, a refusal also future ones', async () => {
  const { proxy, seen } = await echo()
  const first = await client(proxy)
  proxy.cut()
  await eventually(() => expect(first.received.closed).toBe(true))
  proxy.refuse()
  await new Promise((resolve) =>
    connect(proxy.port, proxy.host)
      .on('error', () => {})
      .on('close', resolve),
  )
  proxy.flow()
  const third = await client(proxy)
  third.say('back')
  await eventually(() => expect(third.received.text).toBe('back'))
  expect(seen.server).toBe('back')
})

test('stalled bytes arrive later, in order and complete', async () => {
  const { proxy, seen } = await echo()
  const { received, say } = await client(proxy)
  say('a')
  await eventually(() => expect(received.text).toBe('a'))
  proxy.stall('down')
  say('b')
  await eventually(() => expect(seen.server).toBe('ab'))
  const late = await client(proxy)
  late.say('x')
  await eventually(() => expect(seen.server).toBe('abx'))
  expect([received.text, late.received.text]).toEqual(['a', ''])
  proxy.stall('up')
  proxy.flow()
  await eventually(() => expect([received.text, late.received.text]).toEqual(['ab', 'x']))
  say('c')
  await eventually(() => expect(received.text).toBe('abc'))
})

test('half of a link can be lost alone; then no byte follows the gap', async () => {
  const { proxy, seen } = await echo()
  const { received, say } = await client(proxy)
  say('a')
  await eventually(() => expect(received.text).toBe('a'))
  proxy.connections[0]?.drop('down')
  say('b')
  await eventually(() => expect(seen.server).toBe('ab'))
  proxy.flow()
  await eventually(() => expect(received).toEqual({ text: 'a', closed: true }))
})

test('a delay applies to every byte, in one direction if given', async () => {
  const { proxy } = await echo()
  const { received, say } = await client(proxy)
  proxy.delay(60, 'down')
  const from = performance.now()
  say('a')
  say('b')
  await eventually(() => expect(received.text).toBe('ab'))
  expect(performance.now() - from).toBeGreaterThanOrEqual(59)
  proxy.delay(3_600_000)
  say('c')
  proxy.flow()
  await eventually(() => expect(received.text).toBe('abc'))
})

test('buffered bytes are bounded: the sender is paused', async () => {
  const { proxy, seen } = await echo()
  const { socket } = await client(proxy)
  proxy.stall('up')
  const megabytes = 64
  for (let n = 0; n < megabytes; n += 1) socket.write(Buffer.alloc(1 << 20, 'x'))
  const other = await echo()
  const { received, say } = await client(other.proxy)
  // Enough time for all of it, if it were accepted.
  for (let n = 1; n <= 300; n += 1) {
    say('.')
    await eventually(() => expect(received.text).toHaveLength(n), { everyMs: 0 })
  }
  expect(socket.writableLength).toBeGreaterThan((megabytes / 2) << 20)
  expect(seen.server).toBe('')
})

test('connections can be redirected', async () => {
  const [one, other] = [await echo(), await echo()]
  one.proxy.retarget({ host: '127.0.0.1', port: other.address.port })
  const { say } = await client(one.proxy)
  say('a')
  await eventually(() => expect(other.seen.server).toBe('a'))
  expect(one.seen.connections).toBe(0)
})

test('a limit forwards so many bytes per second, and no faster', async () => {
  const { proxy } = await echo()
  proxy.limit(400_000, 'up')
  const { received, say } = await client(proxy)
  const start = performance.now()
  say('x'.repeat(100_000))
  await eventually(() => expect(received.text).toHaveLength(100_000))
  expect(performance.now() - start).toBeGreaterThan(240)
  expect(proxy.connections[0]?.bytes).toEqual({ up: 100_000, down: 100_000 })
})
