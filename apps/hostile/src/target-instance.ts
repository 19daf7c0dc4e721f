import { createServer } from 'node:http'
import { createDocuments, postgresStore } from '@tutti/documents/server'
import { defineSchema } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { rules } from '@tutti/server'
import { attachRealtime } from '@tutti/server/node'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { serveInstance } from '@tutti/test-kit/instance'
import * as v from 'valibot'
import { userOf } from './tokens.ts'

// One attacked instance, configured like an application.

const errors: string[] = []
const keepError = (error: unknown): void => void errors.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error))

const pubsub = new RealtimePubSub({ url: String(process.env['REDIS_URL']), onError: keepError })
const state = reactiveRedisDriver({ pubsub, onError: keepError })
const httpServer = createServer()
const realtime = attachRealtime(httpServer, {
  state,
  pubsub,
  limits: {
    maxPayloadBytes: 200_000,
    maxSubscriptions: 500,
    mutationsPerSecond: 300,
    eventsPerSecond: 100,
    requestsPerSecond: 400,
    connectsPerSecondPerAddress: 50,
  },
  // Alice's secrets are in a log, too.
  durable: { 'user:*': { maxRecords: 200 }, 'public:7': {}, 'public:8': { maxRecords: 50, groups: ['none'], maxBacklog: 60 } },
  documents: createDocuments({ store: postgresStore({ url: String(process.env['DATABASE_URL']) }), maxDocumentBytes: 1_000_000 }),
  schema: defineSchema({ state: { 'scores:*': v.pipe(v.number(), v.integer(), v.maxValue(1_000)) } }),
  authenticate: ({ token }) => userOf(token),
  authorize: rules({
    state: {
      'public:*': { read: true, write: true },
      'scores:*': { read: true, write: true },
      'shared:*': { read: ({ user }) => user?.id !== 'mallory', write: ({ user }) => user?.id !== 'mallory' },
      'user:{id}:*': { read: true, write: true },
    },
    events: {
      'public:*': { subscribe: true, publish: true },
      'shared:*': { subscribe: ({ user }) => user?.id !== 'mallory', publish: ({ user }) => user?.id !== 'mallory' },
      'user:{id}:*': { subscribe: true, publish: true },
    },
    documents: {
      'public:*': { read: true, write: true },
      'shared:*': { read: ({ user }) => user?.id !== 'mallory', write: ({ user }) => user?.id !== 'mallory' },
      'user:{id}:*': { read: true, write: true },
    },
    presence: {
      'public:*': { read: true, join: true },
      'shared:*': { read: ({ user }) => user?.id !== 'mallory', join: ({ user }) => user?.id !== 'mallory' },
      'user:{id}:*': { read: true, join: true },
    },
    locks: {
      'public:*': { read: true, acquire: true },
      'user:{id}:*': { read: true, acquire: true, force: true },
    },
    rooms: {
      'club:*': { join: true, locks: { '*': { read: true, acquire: true } } },
      'vault:{id}': { join: true, locks: { '*': { read: true, acquire: true } } },
    },
  }),
  onError: (error, { stage }) => {
    // These are the purpose of limits.
    if (stage !== 'flood' && stage !== 'slowConsumer') keepError(error)
  },
})
await new Promise<void>((resolve) => void httpServer.listen(0, '127.0.0.1', resolve))
const address = httpServer.address()
await realtime.ready

// Messages that only Alice may receive.
const secrets = setInterval(() => {
  const data = String(process.env['CANARY'])
  const sent = [realtime.rooms.broadcast('vault:alice', 'secret', data), realtime.user('alice').send('secret', data)]
  void Promise.all(sent).catch(keepError)
}, 200)
secrets.unref()

const prototypeOf = JSON.stringify(Object.getOwnPropertyNames(Object.prototype).toSorted())

serveInstance(
  { port: typeof address === 'object' && address !== null ? address.port : 0 },
  {
    /** Heap in use after garbage collection, bytes. */
    heap: () => {
      globalThis.gc?.()
      globalThis.gc?.()
      return process.memoryUsage().heapUsed
    },
    connections: () => realtime.io.engine.clientsCount,
    errors: () => errors,
    /** Whether the properties of `Object.prototype` are unchanged. */
    isClean: () => JSON.stringify(Object.getOwnPropertyNames(Object.prototype).toSorted()) === prototypeOf,
  },
)
process.once('SIGTERM', () => void realtime.close().then(() => process.exit(0)))
