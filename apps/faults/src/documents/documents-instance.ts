import { createServer } from 'node:http'
import { createRedisCoordination } from '@tutti/coordination'
import { createDocuments, postgresStore } from '@tutti/documents/server'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import { serveInstance } from '@tutti/test-kit/instance'
import memoryDriver from 'unstorage/drivers/memory'

// One instance with documents, on a port that its successor uses again.

const pubsub = new RealtimePubSub({ url: String(process.env['REDIS_URL']), onError: () => {} })
const { instanceId } = pubsub
const httpServer = createServer()
const realtime = attachRealtime(httpServer, {
  ...{ state: reactiveDriver(memoryDriver()), pubsub, onWarning: () => {}, onError: () => {} },
  // Short times, so that much of what a killed instance leaves is taken over during a run.
  coordination: createRedisCoordination(pubsub.link, { instanceId, heartbeatMs: 200, leaseMs: 1_200, graceMs: 400, onError: () => {} }),
  documents: createDocuments({
    store: postgresStore({ url: String(process.env['DATABASE_URL']), maxConnections: 4 }),
    ...{ storeIntervalMs: 100, unloadAfterMs: 200, databaseTimeoutMs: 1_000 },
  }),
})
await realtime.ready
await new Promise<void>((resolve) => void httpServer.listen(Number(process.env['PORT']), '127.0.0.1', resolve))
serveInstance({}, {})
