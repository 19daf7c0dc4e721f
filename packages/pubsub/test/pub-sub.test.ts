import { startRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { MemoryPubSub, RealtimePubSub, createMemoryBus } from '@tutti/pubsub'
import { pubSubContract } from '@tutti/pubsub/testing'

// [N9] One suite, both backends.

pubSubContract('MemoryPubSub', async () => {
  const bus = createMemoryBus()
  return {
    connect: (options) => new MemoryPubSub({ ...options, bus }),
    inject: async (channel, text) => bus.send(channel, text),
    interrupt: async () => bus.interrupt(),
    restore: async () => bus.restore(),
    close: async () => {},
  }
})

pubSubContract('RealtimePubSub', async () => {
  const redis = await startRedis()
  return {
    connect: (options) => new RealtimePubSub({ ...options, host: redis.host, port: redis.port }),
    inject: async (channel, text) => {
      const stranger = new Redis(redis.port, redis.host)
      await stranger.publish(`tutti:${channel}`, text)
      await stranger.quit()
    },
    interrupt: () => redis.kill(),
    restore: () => redis.restart(),
    close: () => redis.stop(),
  }
})
