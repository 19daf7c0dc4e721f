import { createMemoryBus, MemoryPubSub, RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, startRedis } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { serve } from './serve.ts'

test('[F4] every connection is notified of an outage and its end, and stays connected', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const pubsub = new RealtimePubSub({ url: redis.url, onError: () => {} })
  const served = await serve({ pubsub, state: reactiveRedisDriver({ pubsub }) })
  onTestFinished(() => served.close())
  const clients = await Promise.all([served.connect(), served.connect()])
  await redis.kill()
  for (const client of clients) await eventually(() => expect(client.of('server:status')).toEqual([{ degraded: true }]))
  expect(await clients[0]?.send('storage:get', { key: 'k' })).toMatchObject({ ok: false, error: { code: 'UNAVAILABLE', retryable: true } })
  await redis.restart()
  for (const client of clients) {
    await eventually(() => expect(client.of('server:status')).toEqual([{ degraded: true }, { degraded: false }]))
    expect(client.socket.connected).toBe(true)
  }
})

test('[F4] a client that connects during an outage is notified after the hello', async () => {
  const bus = createMemoryBus()
  const served = await serve({ pubsub: new MemoryPubSub({ bus, onError: () => {} }) })
  onTestFinished(() => served.close())
  const early = await served.connect()
  bus.interrupt()
  const late = await served.connect()
  await late.request('storage:get', { key: 'k' })
  expect(late.received.map(({ name }) => name)).toEqual(['server:hello', 'server:status'])
  bus.restore()
  const last = await served.connect()
  await last.request('storage:get', { key: 'k' })
  expect(last.received.map(({ name }) => name)).toEqual(['server:hello'])
  await eventually(() => expect(early.of('server:status')).toEqual([{ degraded: true }, { degraded: false }]))
  early.socket.disconnect()
  await served.close()
  expect(early.of('server:status')).toHaveLength(2)
})
