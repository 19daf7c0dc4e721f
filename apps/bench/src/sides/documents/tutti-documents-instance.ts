import { createServer } from 'node:http'
import { createDocuments, postgresStore } from '@tutti/documents/server'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { UNLIMITED } from '../tutti/unlimited.ts'
import { serveSide } from '../serve-side.ts'

// One instance of Tutti with documents and its default options, but for the rates: the control has none.

await serveSide(async () => {
  const pubsub = new RealtimePubSub({ url: process.env['REDIS_URL'] ?? '' })
  const httpServer = createServer()
  const documents = createDocuments({ store: postgresStore({ url: process.env['DATABASE_URL'] ?? '' }) })
  const realtime = attachRealtime(httpServer, { state: reactiveRedisDriver({ pubsub }), pubsub, documents, ...UNLIMITED })
  await realtime.ready
  return { httpServer, stop: () => realtime.close() }
})
