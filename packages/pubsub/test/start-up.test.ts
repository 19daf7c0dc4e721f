import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { connect, observer, testRedis } from './setup.ts'

test('[N3] subscriptions and calls made before a slow Redis replies take effect then', async () => {
  const redis = await testRedis()
  const { pubsub: other } = connect({ url: redis.url })
  await other.link.ready
  redis.pause()
  const { pubsub, errors } = connect({ url: redis.url })
  const received: string[] = []
  const [one, two] = ['one', 'two'].map((channel) => pubsub.subscribe(channel, (text) => received.push(text)))
  let early = false
  void one?.ready.then(() => (early = true))
  const calls = [pubsub.publish('three', {}), ...[1, 2, 3].map((n) => pubsub.link.command('RPUSH', 'list', n))]
  // One turn of the event loop: everything that does not wait for Redis has happened by then.
  await new Promise((resolve) => setImmediate(resolve))
  expect([early, pubsub.status]).toEqual([false, 'connecting'])
  redis.resume()
  expect(await Promise.all(calls)).toEqual([undefined, 1, 2, 3])
  await Promise.all([pubsub.link.ready, one?.ready, two?.ready])
  await other.publish('one', {})
  await other.publish('two', {})
  await eventually(() => expect(received).toHaveLength(2))
  expect(errors).toEqual([])
})

test('[N3] a Redis that is slower than every timeout only delays the start', async () => {
  const redis = await testRedis()
  redis.pause()
  const { pubsub, errors } = connect({ url: redis.url, commandTimeoutMs: 100 })
  const subscription = pubsub.subscribe('news', () => {})
  await expect(pubsub.publish('news', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  redis.resume()
  await Promise.all([pubsub.link.ready, subscription.ready])
  expect(await observer(redis).pubsub('NUMSUB', 'tutti:news')).toEqual(['tutti:news', 1])
  expect(errors).toHaveLength(1)
})

test('[N5] without Redis at startup it is unavailable, reports once and retries', async () => {
  const redis = await testRedis()
  await redis.kill()
  const { pubsub, errors } = connect({ url: redis.url })
  const subscription = pubsub.subscribe('news', () => {})
  expect(pubsub.status).toBe('connecting')
  await expect(pubsub.publish('news', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  await expect(pubsub.publish('news', {})).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  // Long enough for several attempts: their errors are not reported.
  const observing = observer(redis)
  let attempts = 0
  await new Promise<void>((resolve) => void observing.on('reconnecting', () => ++attempts === 5 && resolve()))
  await redis.restart()
  await Promise.all([pubsub.link.ready, subscription.ready])
  expect(errors).toMatchObject([{ stage: 'connection', error: { code: 'UNAVAILABLE', cause: { code: 'ECONNREFUSED' } } }])
})

test('[N7] dispose refuses calls that wait for the first connection with CLOSED', async () => {
  const redis = await testRedis()
  redis.pause()
  const { pubsub } = connect({ url: redis.url })
  const calls = Promise.allSettled([pubsub.publish('news', {}), pubsub.link.command('PING')])
  await pubsub.dispose()
  for (const outcome of await calls) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'CLOSED' } })
})
