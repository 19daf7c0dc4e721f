import { expect, test } from 'vitest'
import { clientList, connect, observer, testRedis } from './setup.ts'

test('[N1] an instance has exactly two named connections, shared by all features', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  const { pubsub: other } = connect({ url: redis.url, prefix: 'app' })
  await Promise.all([pubsub.link.ready, other.link.ready])
  const scripts = ['return 1', 'return 2', 'return 3'].map((source) => pubsub.link.script(source))
  await Promise.all([
    ...['watch', 'events', 'a', 'b'].map((channel) => pubsub.subscribe(channel, () => {}).ready),
    pubsub.link.subscribe('c', () => {}).ready,
    ...scripts.map((script) => script.run([], [])),
    pubsub.publish('events', {}),
    pubsub.link.command('GET', 'x'),
  ])
  const names = (await clientList(observer(redis))).map(({ name }) => name)
  const mine = [`tutti:${pubsub.instanceId}:pub`, `tutti:${pubsub.instanceId}:sub`]
  const others = [`app:${other.instanceId}:pub`, `app:${other.instanceId}:sub`]
  expect(names).toHaveLength(4)
  expect(new Set(names)).toEqual(new Set([...mine, ...others]))
})

test('[N1] after an outage of Redis there are two connections again', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const back = new Promise<void>((resolve) => void pubsub.onGap(resolve))
  await redis.restart()
  await back
  expect(await clientList(observer(redis))).toHaveLength(2)
})
