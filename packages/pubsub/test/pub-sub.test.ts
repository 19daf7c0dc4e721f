import { documentedAcl, startRedis, type DocumentedAcl } from '@tutti/test-kit'
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

const onRedis = async (acl?: DocumentedAcl) => {
  const redis = await startRedis(acl)
  const urlOf = (credentials = ''): string => redis.url.replace('//', credentials === '' ? '//' : `//${credentials}@`)
  return {
    connect: (options: object) => new RealtimePubSub({ ...options, url: urlOf(acl?.credentials) }),
    inject: async (channel: string, text: string) => {
      const stranger = new Redis(urlOf(acl?.adminCredentials))
      await stranger.publish(`tutti:${channel}`, text)
      await stranger.quit()
    },
    interrupt: () => redis.kill(),
    restore: () => redis.restart(),
    close: () => redis.stop(),
  }
}

pubSubContract('RealtimePubSub', () => onRedis())
pubSubContract('RealtimePubSub under the documented ACL', () => onRedis(documentedAcl()))
