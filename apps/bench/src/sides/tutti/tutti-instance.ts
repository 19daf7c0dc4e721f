import { createServer } from 'node:http'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { serveSide } from '../serve-side.ts'

// One instance of Tutti with its default options, but for the rates: the controls have none.

const UNLIMITED = {
  limits: {
    mutationsPerSecond: 1_000_000_000,
    eventsPerSecond: 1_000_000_000,
    requestsPerSecond: 1_000_000_000,
    maxRequestsInFlight: 1_000_000,
    maxConnectionsPerAddress: 1_000_000,
    connectsPerSecondPerAddress: 1_000_000,
  },
}

await serveSide(async () => {
  const pubsub = new RealtimePubSub({ url: process.env['REDIS_URL'] ?? '' })
  const httpServer = createServer()
  const realtime = attachRealtime(httpServer, { state: reactiveRedisDriver({ pubsub }), pubsub, ...UNLIMITED })
  await realtime.ready
  return { httpServer, stop: () => realtime.close() }
})
