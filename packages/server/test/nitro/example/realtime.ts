// server/plugins/realtime.ts
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/nitro'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { definePlugin } from 'nitro'

export default definePlugin((nitroApp) => {
  attachRealtime(nitroApp, () => {
    const pubsub = new RealtimePubSub({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379' })
    return { pubsub, state: reactiveRedisDriver({ pubsub }) }
  })
})
