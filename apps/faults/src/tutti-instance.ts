import { createServer } from 'node:http'
import { createRedisCoordination } from '@tutti/coordination'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { serveInstance } from '@tutti/test-kit/instance'
import { usedMemory } from './used-memory.ts'

// One instance of the cluster under test. It is connected to Redis through a proxy.

// Outages are intended here.
const onError = (): void => {}
const pubsub = new RealtimePubSub({
  ...JSON.parse(process.env['REDIS'] ?? '{}'),
  // Longer than the longest stall of a schedule, and soon enough for a schedule of a few seconds.
  commandTimeoutMs: 2_500,
  onError,
})
const state = reactiveRedisDriver({ pubsub, onError })
const httpServer = createServer()
/** The load is intended, so rates do not limit it. */
const UNLIMITED = {
  limits: {
    mutationsPerSecond: 1_000_000_000,
    eventsPerSecond: 1_000_000_000,
    maxRequestsInFlight: 1_000_000,
    connectsPerSecondPerAddress: 1_000_000_000,
  },
}
/** With lease times of its own where the run names them. */
const times = process.env['LEASE_TIMES']
const { instanceId } = pubsub
const coordination = times === undefined ? undefined : createRedisCoordination(pubsub.link, { instanceId, onError, ...JSON.parse(times) })

const realtime = attachRealtime(httpServer, {
  ...{ state, pubsub, coordination, onError },
  ...JSON.parse(process.env['SERVER_OPTIONS'] ?? '{}'),
  ...UNLIMITED,
})
await new Promise<void>((resolve) => void httpServer.listen(0, '127.0.0.1', resolve))
const address = httpServer.address()
await realtime.ready

let writing: NodeJS.Timeout | undefined
const unfinished = new Set<Promise<unknown>>()

serveInstance(
  { port: typeof address === 'object' && address !== null ? address.port : 0 },
  {
    read: (keys: string[]) => state.read(keys),
    memory: () => usedMemory(),
    /** Changes each key at this rate until the next call. */
    write: (keys: string[], perSecond: number, bytes: number) => {
      let count = 0
      writing = setInterval(() => {
        count += 1
        for (const key of keys) {
          const write = state.write({ op: 'set', key, value: `${count}${'x'.repeat(bytes)}` }).catch(() => {})
          unfinished.add(write)
          void write.then(() => unfinished.delete(write))
        }
      }, 1_000 / perSecond)
    },
    /** Stops that. Settles when all that was begun has an outcome. */
    rest: async () => {
      clearInterval(writing)
      await Promise.all(unfinished)
    },
    broadcast: (room: string, name: string, data: number, timeoutMs: number) => realtime.rooms.broadcast(room, name, data, { timeoutMs }),
  },
)
process.once('SIGTERM', () => void realtime.close().then(() => process.exit(0)))
