import { redisOptions } from '@tutti/pubsub/redis'
import { eventually } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { connect, faultProxy, observer, testRedis } from './setup.ts'

for (const type of ['pubsub', 'normal'] as const) {
  test(`[N6] a killed ${type === 'pubsub' ? 'sub' : 'pub'} connection is one gap`, async () => {
    const redis = await testRedis()
    const [{ pubsub: a }, { pubsub: b, errors }] = [connect({ url: redis.url }), connect({ url: redis.url })]
    const received: string[] = []
    // Redis counts a connection as pubsub once it has a subscription.
    await Promise.all([
      a.link.ready,
      a.subscribe('other', () => {}).ready,
      b.link.ready,
      b.subscribe('news', (text) => received.push(text)).ready,
    ])
    let gapsOfA = 0
    a.onGap(() => (gapsOfA += 1))
    let gaps = 0
    const published: Promise<void>[] = []
    b.onGap(() => {
      gaps += 1
      // Messages that others publish from now on are received.
      published.push(eventually(() => a.publish('news', { gaps })))
    })
    const observing = observer(redis)
    for (const time of [1, 2, 3]) {
      await observing.client('KILL', 'TYPE', type, 'SKIPME', 'yes')
      await eventually(() => expect(received).toHaveLength(time))
      await eventually(() => expect([gaps, gapsOfA, a.status, b.status]).toEqual([time, time, 'ready', 'ready']))
    }
    expect(errors.map(({ stage }) => stage)).toEqual(['connection', 'connection', 'connection'])
    await Promise.all(published)
  })
}

test('[N6] both connections lost together are one gap', async () => {
  const redis = await testRedis()
  const { pubsub, errors } = connect({ url: redis.url })
  await Promise.all([pubsub.link.ready, pubsub.subscribe('news', () => {}).ready])
  let gaps = 0
  pubsub.onGap(() => (gaps += 1))
  const observing = observer(redis)
  await observing.multi().client('KILL', 'TYPE', 'pubsub').client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes').exec()
  await eventually(() => expect(gaps).toBe(1))
  // A second `ready` would have arrived before these replies.
  await pubsub.link.command('TIME')
  expect([gaps, errors.length, pubsub.status]).toEqual([1, 1, 'ready'])
})

test('[N6] there is no gap at start-up', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  let gaps = 0
  pubsub.onGap(() => (gaps += 1))
  await pubsub.subscribe('news', () => {}).ready
  await pubsub.link.ready
  await pubsub.link.command('TIME')
  expect(gaps).toBe(0)
})

test('[N6] a gap is reported after Redis has confirmed every subscription', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await Promise.all([pubsub.link.ready, pubsub.subscribe('before', () => {}).ready])
  await redis.kill()
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  const confirmed: string[] = []
  for (let n = 0; n < 20; n += 1) void pubsub.subscribe(`meanwhile:${n}`, () => {}).ready.then(() => confirmed.push('meanwhile'))
  const reported = new Promise<number>((resolve) => void pubsub.onGap(() => resolve(confirmed.length)))
  await redis.restart()
  expect(await reported).toBe(20)
  expect(await observer(redis).pubsub('NUMSUB', 'tutti:before')).toEqual(['tutti:before', 1])
})

test('[N6] a silently dead sub connection is found after an outage of pub', async () => {
  const redis = await testRedis()
  const proxy = await faultProxy(redis)
  const { pubsub } = connect({ host: proxy.host, port: proxy.port, commandTimeoutMs: 300 })
  const { pubsub: other } = connect({ url: redis.url })
  const received: string[] = []
  await Promise.all([pubsub.link.ready, other.link.ready, pubsub.subscribe('news', (text) => received.push(text)).ready])
  let gaps = 0
  pubsub.onGap(() => (gaps += 1))
  const find = (name: string) => proxy.connections.find(({ sent }) => sent.includes(name))
  find(':sub')?.drop('down')
  find(':pub')?.cut()
  await eventually(() => expect(gaps).toBe(1))
  await other.publish('news', {})
  await eventually(() => expect(received).toHaveLength(1))
})

/** An instance whose `sub` receives no reply until `flow`, while its `pub` serves. */
async function withLateSub() {
  const redis = await testRedis()
  const proxy = await faultProxy(redis)
  proxy.stall('down')
  const [pub, sub] = [new Redis(redis.url, redisOptions()), new Redis(proxy.port, proxy.host, redisOptions())]
  onTestFinished(() => [pub, sub].forEach((client) => client.disconnect()))
  const { pubsub } = connect({ clients: { pub, sub } })
  const reported: string[] = []
  pubsub.onGap(() => reported.push(`gap while ${pubsub.status}`))
  return { redis, pubsub, reported, flow: () => proxy.flow() }
}

test('[N6] the first ready of sub is a gap if a command was sent before it', async () => {
  const { redis, pubsub, reported, flow } = await withLateSub()
  const subscription = pubsub.link.subscribe('news', (text) => reported.push(text))
  await pubsub.link.command('GET', 'key')
  // Changed by another program after the read and before the subscription: only the gap reveals it.
  await observer(redis).publish('tutti:news', 'changed')
  flow()
  await Promise.all([pubsub.link.ready, subscription.ready])
  await eventually(() => expect(reported).toEqual(['gap while ready']))
})

test('[N6] the first ready of sub is no gap if only messages were published', async () => {
  const { pubsub, reported, flow } = await withLateSub()
  await pubsub.publish('news', {})
  flow()
  await pubsub.link.ready
  await pubsub.link.command('TIME')
  expect(reported).toEqual([])
})

test('[N6] the first ready after a start without Redis is a gap', async () => {
  const redis = await testRedis()
  await redis.kill()
  const { pubsub } = connect({ url: redis.url })
  const gap = new Promise<void>((resolve) => void pubsub.onGap(resolve))
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  await redis.restart()
  await gap
  expect(pubsub.status).toBe('ready')
})
