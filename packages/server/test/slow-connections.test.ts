import { eventually, startTcpProxy, type TcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { connectPlain, serve, type PlainClient, type Served } from './serve.ts'

/** A server, and a client whose link can be stalled. */
async function serveOverProxy(options: Parameters<typeof serve>[0]): Promise<{ served: Served; proxy: TcpProxy; client: PlainClient }> {
  // A link that is stalled for as long as a slow machine takes is not lost by a ping.
  const served = await serve({ pingIntervalMs: 240_000, ...options })
  onTestFinished(() => served.close())
  const { hostname, port } = new URL(served.url)
  const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
  onTestFinished(() => proxy.close())
  const client = await connectPlain(`http://127.0.0.1:${proxy.port}`)
  onTestFinished(() => void client.socket.disconnect())
  return { served, proxy, client }
}

const LARGE = 'x'.repeat(20_000)

test('[C4] [S4] an unread socket skips changes and receives the newest entries later', async () => {
  const { served, proxy, client } = await serveOverProxy({})
  const keys = Array.from({ length: 30 }, (_, number) => `key:${number}`)
  const control = await served.connect()
  for (const reader of [client, control]) await reader.request('storage:subscribe', { keys: keys.map((key) => ({ key })) })
  proxy.stall('down')
  const rounds = 60
  for (let round = 1; round <= rounds; round += 1) {
    await Promise.all(keys.map((key) => served.realtime.state.set(key, `${round}${LARGE}`)))
    // A connection that reads receives every change, as long as its backlog stays below the limit.
    await eventually(() => expect(control.of('storage:updated')).toHaveLength(round * keys.length))
  }
  await served.realtime.state.set('key:0', 'last')
  proxy.flow()
  const newest = await Promise.all(keys.map((key) => served.realtime.state.get(key)))
  await eventually(() => {
    const shown = new Map((client.of('storage:updated') as { key: string }[]).map((entry) => [entry.key, entry]))
    expect(keys.map((key) => shown.get(key))).toEqual(newest)
  })
  const versions = (client.of('storage:updated') as { key: string; version: number }[]).filter(({ key }) => key === 'key:0')
  expect(versions).toEqual(versions.toSorted((one, other) => one.version - other.version))
  expect(versions.length).toBeLessThan(rounds)
  // Then it receives updates like all others again.
  await served.realtime.state.set('key:1', 'afterwards')
  await eventually(() => expect(client.of('storage:updated').at(-1)).toMatchObject({ key: 'key:1', value: 'afterwards' }))
  expect(client.socket.connected).toBe(true)
})

test('[C4] events and replies continue up to a limit, then the connection is closed', async () => {
  const errors: { error: unknown; stage: string }[] = []
  const { served, proxy, client } = await serveOverProxy({
    backpressure: { maxUnsentBytes: 200_000 },
    onError: (error, { stage }) => errors.push({ error, stage }),
  })
  const control = await served.connect()
  for (const reader of [client, control]) await reader.request('event:subscribe', { channel: 'news' })
  proxy.stall('down')
  let published = 0
  await eventually(async () => {
    for (let event = 0; event < 20; event += 1) await served.realtime.events.publish('news', LARGE)
    published += 20
    expect(served.realtime.counts.slowConsumers).toBe(1)
  })
  expect(errors).toEqual([{ error: expect.objectContaining({ code: 'SLOW_CONSUMER' }), stage: 'slowConsumer' }])
  await eventually(() => expect(served.realtime.io.of('/').sockets.size).toBe(1))
  await eventually(() => expect(control.of('event:received')).toHaveLength(published))
})

test('[C4] limits that cannot work are refused', async () => {
  for (const options of [{ backpressure: { maxUnsentPackets: 0 } }, { backpressure: { maxUnsentBytes: 0.5 } }]) {
    await expect(serve(options)).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
  }
})
