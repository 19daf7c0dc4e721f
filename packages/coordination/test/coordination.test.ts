import { RealtimePubSub } from '@tutti/pubsub'
import { startRedis } from '@tutti/test-kit'
import { afterAll, beforeAll } from 'vitest'
import { createMemoryCoordination, createRedisCoordination } from '../src/index.ts'
import { coordinationContract } from '../src/testing/index.ts'

let redis: Awaited<ReturnType<typeof startRedis>>
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

coordinationContract('in memory', async (options) => {
  const coordination = createMemoryCoordination(options)
  return { coordination, other: coordination, dispose: () => coordination.close() }
})

coordinationContract('on Redis', async (options) => {
  const pubsubs = [new RealtimePubSub({ url: redis.url }), new RealtimePubSub({ url: redis.url })] as const
  const [coordination, other] = [
    createRedisCoordination(pubsubs[0].link, { ...options, instanceId: pubsubs[0].instanceId }),
    createRedisCoordination(pubsubs[1].link, { ...options, instanceId: pubsubs[1].instanceId }),
  ]
  await Promise.all([coordination.instance.ready, other.instance.ready])
  return {
    ...{ coordination, other },
    dispose: async () => {
      await Promise.all([coordination.close(), other.close()])
      await Promise.all(pubsubs.map((pubsub) => pubsub.dispose()))
    },
  }
})
