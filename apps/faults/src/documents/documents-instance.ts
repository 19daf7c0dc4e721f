import { createServer } from 'node:http'
import { createRedisCoordination } from '@tutti/coordination'
import { createDocuments, pgliteStore, postgresStore } from '@tutti/documents/server'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveDriver } from '@tutti/storage-driver'
import { serveInstance } from '@tutti/test-kit/instance'
import memoryDriver from 'unstorage/drivers/memory'

// One instance with documents, on a port that its successor uses again: on Redis and PostgreSQL, or alone on PGlite.

const { REDIS_URL: redisUrl, DATABASE_URL: databaseUrl, DATABASE_FOLDER: folder, PORT: port } = process.env
const pubsub = redisUrl === undefined ? undefined : new RealtimePubSub({ url: redisUrl, onError: () => {} })
const httpServer = createServer()
const realtime = attachRealtime(httpServer, {
  ...{ state: reactiveDriver(memoryDriver()), pubsub, onWarning: () => {}, onError: () => {} },
  // Short times, so that much of what a killed instance leaves is taken over during a run.
  ...(pubsub && {
    coordination: createRedisCoordination(pubsub.link, {
      ...{ instanceId: pubsub.instanceId, heartbeatMs: 200, leaseMs: 1_200, graceMs: 400, onError: () => {} },
    }),
  }),
  documents: createDocuments({
    store: databaseUrl === undefined ? pgliteStore({ folder }) : postgresStore({ url: databaseUrl, maxConnections: 4 }),
    ...{ storeIntervalMs: 100, unloadAfterMs: 200, databaseTimeoutMs: 1_000 },
  }),
})
await realtime.ready
await new Promise<void>((resolve) => void httpServer.listen(Number(port), '127.0.0.1', resolve))
serveInstance({}, {})
