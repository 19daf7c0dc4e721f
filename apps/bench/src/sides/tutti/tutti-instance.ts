import { createServer } from 'node:http'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { serveSide } from '../serve-side.ts'
import { UNLIMITED } from './unlimited.ts'

// One instance of Tutti with its default options, but for the rates: the controls have none.

await serveSide(async () => {
  const pubsub = new RealtimePubSub({ url: process.env['REDIS_URL'] ?? '' })
  const httpServer = createServer()
  const realtime = attachRealtime(httpServer, { state: reactiveRedisDriver({ pubsub }), pubsub, ...UNLIMITED })
  await realtime.ready
  return { httpServer, stop: () => realtime.close() }
})
