import { createServer } from 'node:http'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { serveInstance } from '@tutti/test-kit/instance'
import { listen } from '../listen.ts'

// One instance of Tutti, with nothing switched on or off: what its README shows.

const pubsub = new RealtimePubSub({ url: process.env['REDIS_URL'] ?? '' })
const httpServer = createServer()
/** The control has no rates either. */
const UNLIMITED = {
  mutationsPerSecond: 1_000_000_000,
  eventsPerSecond: 1_000_000_000,
  requestsPerSecond: 1_000_000_000,
  maxRequestsUnderWay: 1_000_000,
  maxConnectionsPerAddress: 1_000_000,
}

const realtime = attachRealtime(httpServer, { state: reactiveRedisDriver({ pubsub }), pubsub, ...UNLIMITED })
const url = await listen(httpServer)
await realtime.ready

serveInstance({ url }, { cpu: () => process.cpuUsage() })
process.once('SIGTERM', () => void realtime.close().then(() => process.exit(0)))
