import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/nitro'
import { reactiveDriver, reactiveRedisDriver } from '@tutti/storage-driver'
import { definePlugin } from 'nitro'
import fsDriver from 'unstorage/drivers/fs'

export default definePlugin((nitroApp) => {
  attachRealtime(nitroApp, () => {
    const url = process.env['REDIS_URL']
    const pubsub = url === undefined ? undefined : new RealtimePubSub({ url })
    return {
      pubsub,
      state: pubsub === undefined ? reactiveDriver(fsDriver({ base: '.data/state' })) : reactiveRedisDriver({ pubsub }),
      limits: { maxPayloadBytes: 10_000 },
      origins: ['https://friend.example'],
      socketIo: { allowRequest: ({ headers }, decide) => decide(null, headers['x-denied'] === undefined) },
    }
  })
})
