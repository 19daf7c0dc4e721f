import { createServer } from 'node:http'
import {
  createRealtimeClient,
  socketTransport,
  type PublishOptions,
  type RealtimeClient,
  type RealtimeClientOptions,
  type SocketTransportOptions,
  type StateOptions,
} from '@tutti/client'
import { collection, type CollectionOptions } from '@tutti/client/collection'
import { createOfflineQueue, type OfflineQueueOptions } from '@tutti/client/offline-queue'
import { lock, type LockOptions as LockHandleOptions } from '@tutti/client/lock'
import { presence, type PresenceOptions as ClientPresenceOptions } from '@tutti/client/presence'
import {
  createDocuments,
  postgresStore,
  type DocumentsOptions,
  type DocumentStore,
  type PostgresStoreOptions,
} from '@tutti/documents/server'
import { defineSchema, parsePattern, RealtimeError, type RealtimeSchema } from '@tutti/protocol'
import { MemoryPubSub, RealtimePubSub, type MemoryPubSubOptions, type PubSubOptions, type RealtimePubSubOptions } from '@tutti/pubsub'
import { redisOptions } from '@tutti/pubsub/redis'
import {
  createRealtimeServer,
  rules,
  type ActAsOptions,
  type BackpressureOptions,
  type LimitOptions,
  type PresenceOptions,
  type RealtimeServer,
  type RealtimeServerOptions,
  type LockOptions,
  type RoomsOptions,
  type ShutdownOptions,
  type SubscriptionOptions,
  type ServerState,
} from '@tutti/server'
import { attachRealtime, type AttachLimitOptions, type AttachRealtimeOptions } from '@tutti/server/node'
import {
  reactiveDriver,
  reactiveRedisDriver,
  type ReactiveDriverOptions,
  type ReactiveRedisDriverOptions,
  type StoreOptions,
} from '@tutti/storage-driver'
import {
  createRealtime,
  useRealtimeEvents,
  useRealtimeState,
  type ExistingClientOptions,
  type PageOptions,
  type Realtime,
  type UseRealtimeEventsOptions,
  type UseRealtimeStateOptions,
} from '@tutti/vue'
import { useRealtimeCollection, type UseRealtimeCollectionOptions } from '@tutti/vue/collection'
import { useRealtimeLock, type UseRealtimeLockOptions } from '@tutti/vue/lock'
import {
  useRealtimeCursors,
  useRealtimePresence,
  type UseRealtimeCursorsOptions,
  type UseRealtimePresenceOptions,
} from '@tutti/vue/presence'
import { Server } from 'socket.io'
import memoryDriver from 'unstorage/drivers/memory'
import { createSSRApp } from 'vue'
import { anything, callback, flag, object, oneOf, text, whole, type Kind } from './kinds.ts'

/** Something that takes options: a function or a class of the public surface. */
export interface Owner {
  readonly name: string
  readonly kinds: Readonly<Record<string, Kind>>
  /** Options without which it can't be made. */
  readonly required: readonly string[]
  /** Makes it with these options beside those that are required, and ends it. Throws or rejects where they are wrong. */
  make(options: object): Promise<void>
  /** The same with something else in place of the options. */
  makeOf(options: unknown): Promise<void>
}

type Kinds<Options> = { readonly [Name in keyof Options]-?: Kind }

type End = (() => unknown) | void

/** A row of the table: `Kinds` makes the compiler require every option. */
function owner<Options extends object>(
  name: string,
  kinds: Kinds<Options>,
  make: (options: Options) => End | Promise<unknown>,
  base: () => Partial<Options> = () => ({}),
  required: readonly string[] = Object.keys(base()),
): Owner {
  const makeOf = async (options: unknown): Promise<void> => {
    const end: unknown = await make(options as Options)
    if (typeof end === 'function') await end()
  }
  return { name, kinds, required, makeOf, make: (options) => makeOf({ ...base(), ...options }) }
}

const tables: Kind = { good: [{}], isGood: (value) => typeof value === 'object' && value !== null && !Array.isArray(value) }

const never: Kind = { good: [], isGood: () => false }

const pubsubKinds: Kinds<PubSubOptions> = { onError: callback }

const redisKinds: Kinds<RealtimePubSubOptions> = {
  ...pubsubKinds,
  url: text('redis://127.0.0.1:1'),
  host: text('127.0.0.1'),
  port: whole(1, 65_535),
  path: text('/nowhere.sock'),
  username: text('ann'),
  password: text('secret'),
  db: whole(0),
  tls: { good: [true, {}], isGood: (value) => typeof value === 'boolean' || typeof value === 'object' },
  // The two go together, and `clients` are instances of ioredis: nothing drawn is one.
  sentinels: never,
  name: text(),
  sentinelUsername: text(),
  sentinelPassword: text(),
  sentinelTls: { good: [], isGood: (value) => typeof value === 'boolean' || typeof value === 'object' },
  cluster: { ...never, good: [[{ host: '127.0.0.1', port: 1 }]] },
  clients: never,
  prefix: text('app'),
  commandTimeoutMs: whole(1),
  keepAliveMs: whole(1),
  breakerFailures: whole(1),
  breakerProbeMs: whole(1),
}

const storeKinds: Kinds<StoreOptions> = {
  inlineValueMaxBytes: whole(0),
  mutationMemoryMs: whole(1, Number.MAX_SAFE_INTEGER),
  tombstoneMs: whole(1, Number.MAX_SAFE_INTEGER),
  writeTimeoutMs: whole(1),
  onError: callback,
}

/** Whether it is a list of patterns. */
const isPatternList = (value: unknown): boolean => {
  try {
    return Array.isArray(value) && value.map(parsePattern).length === value.length
  } catch {
    return false
  }
}

const serverKinds: Kinds<Omit<RealtimeServerOptions, 'io'>> = {
  state: never,
  pubsub: never,
  authenticate: callback,
  authorize: callback,
  schema: object({}),
  trustProxy: whole(0),
  origins: {
    good: ['*', 'https://app.example', [], ['https://app.example']],
    isGood: (value) => typeof value === 'string' || (Array.isArray(value) && value.length === 0),
  },
  coordination: never,
  presence: {
    good: [false, {}, { tickMs: 10 }],
    isGood: (value) => value === false || (typeof value === 'object' && value !== null && !Array.isArray(value)),
  },
  locks: {
    good: [{}, false],
    isGood: (value) => value === false || (typeof value === 'object' && value !== null && !Array.isArray(value)),
  },
  rooms: {
    good: [{}, false],
    isGood: (value) => value === false || (typeof value === 'object' && value !== null && !Array.isArray(value)),
  },
  durable: {
    good: [{}],
    isGood: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  },
  documents: never,
  limits: tables,
  backpressure: tables,
  shutdown: tables,
  reconcileIntervalMs: whole(0),
  directFrames: flag,
  keepRequests: flag,
  onError: callback,
  onAudit: callback,
  auditAllowed: flag,
  onWarning: callback,
}

const limitKinds: Kinds<LimitOptions> = {
  maxSubscriptions: whole(1),
  maxKeysPerMessage: whole(1),
  mutationsPerSecond: whole(1),
  eventsPerSecond: whole(1),
  requestsPerSecond: whole(1),
  maxRequestsInFlight: whole(1),
  maxConnectionsPerAddress: whole(1),
  connectsPerSecondPerAddress: whole(1),
}

const running: Kinds<SubscriptionOptions> = { onEnd: callback }
const ifVersion = whole(0, Number.MAX_SAFE_INTEGER)

const store = () => reactiveDriver(memoryDriver())

async function withServer(run: (realtime: RealtimeServer) => unknown): Promise<void> {
  const realtime = createRealtimeServer({ io: new Server(), state: store(), onWarning: () => {} })
  try {
    await run(realtime)
  } finally {
    await realtime.close()
  }
}

/** The state of server code with all rights and with those of a user. */
const states = (
  name: string,
  run: (state: ServerState, options: object) => unknown,
): readonly (readonly [string, (options: object) => Promise<void>])[] => [
  [`realtime.state.${name}`, (options) => withServer(({ state }) => run(state, options))],
  [`realtime.as().state.${name}`, (options) => withServer((realtime) => run(realtime.as({ id: 'ann' }).state, options))],
]

/** Ignores an error that is not caused by the options. */
const but =
  (code: string) =>
  (error: unknown): void => {
    if (!(error instanceof RealtimeError && error.code === code)) throw error
  }

const stateOwners: Owner[] = [
  ...states('set', (state, options) => state.set('a', 1, options).catch(but('CONFLICT'))).map(([name, make]) =>
    owner<{ ifVersion?: number; ttlMs?: number }>(name, { ifVersion, ttlMs: whole(1, Number.MAX_SAFE_INTEGER) }, make),
  ),
  ...states('remove', (state, options) => state.remove('a', options).catch(but('CONFLICT'))).map(([name, make]) =>
    owner<{ ifVersion?: number }>(name, { ifVersion }, make),
  ),
  ...states('increment', (state, options) => state.increment('a', 1, options)).map(([name, make]) =>
    owner<{ initial?: number }>(name, { initial: { good: [0, 1.5, -1], isGood: Number.isFinite } }, make),
  ),
  ...states('watch', (state, options) => state.watch('a', () => {}, options)()).map(([name, make]) =>
    owner<SubscriptionOptions>(name, running, make),
  ),
]

function created(options: Partial<RealtimeServerOptions>): () => Promise<void> {
  const realtime = createRealtimeServer({ io: new Server(), state: store(), ...options })
  return () => realtime.close()
}

/** A store that is never called. */
const documentStore = (): DocumentStore =>
  Object.assign(Object.create(null) as DocumentStore, {
    load: neverCalled,
    append: neverCalled,
    saveSnapshot: neverCalled,
    close: neverCalled,
  })
const neverCalled = (): Promise<never> => Promise.reject(new Error('never called'))

const documentKinds: Kinds<Omit<DocumentsOptions, 'store'>> = {
  seed: callback,
  storeIntervalMs: whole(1),
  snapshotIntervalMs: whole(1),
  keepUpdatesMs: whole(1, Number.MAX_SAFE_INTEGER),
  unloadAfterMs: whole(0),
  maxUpdateBytes: whole(1),
  maxDocumentBytes: whole(1),
  maxAwarenessBytes: whole(1),
  maxVersions: whole(0, 1_000),
  databaseTimeoutMs: whole(1),
  retryMs: whole(1),
}

const serverOwners: Owner[] = [
  owner<DocumentsOptions>(
    'createDocuments',
    { ...documentKinds, store: never },
    (options) => void createDocuments(options),
    () => ({ store: documentStore() }),
  ),
  owner<PostgresStoreOptions>(
    'postgresStore',
    { url: text('postgres://127.0.0.1:1/none'), maxConnections: whole(1), connectTimeoutSeconds: whole(1) },
    (options) => {
      const store = postgresStore(options)
      store.ready.catch(() => {})
      return () => store.close()
    },
    () => ({ url: 'postgres://127.0.0.1:1/none' }),
  ),
  owner<RealtimePubSubOptions>('RealtimePubSub', redisKinds, (options) => {
    const pubsub = new RealtimePubSub(options)
    return () => pubsub.dispose()
  }),
  owner<MemoryPubSubOptions>('MemoryPubSub', { ...pubsubKinds, bus: never }, (options) => {
    const pubsub = new MemoryPubSub(options)
    return () => pubsub.dispose()
  }),
  owner<ReactiveDriverOptions>('reactiveDriver', { ...storeKinds, now: callback }, (options) => {
    const driver = reactiveDriver(memoryDriver(), options)
    return () => driver.dispose()
  }),
  owner<ReactiveRedisDriverOptions>(
    'reactiveRedisDriver',
    { ...storeKinds, pubsub: never, base: text('app', '{app}') },
    async (options) => {
      const driver = reactiveRedisDriver(options)
      return async () => {
        await driver.dispose()
        await (options.pubsub as RealtimePubSub).dispose()
      }
    },
    () => ({ pubsub: new RealtimePubSub({ port: 1, onError: () => {} }) }),
  ),
  owner<RealtimeServerOptions>(
    'createRealtimeServer',
    { ...serverKinds, io: never },
    (options) => {
      const realtime = createRealtimeServer(options)
      return () => realtime.close()
    },
    () => ({ io: new Server(), state: store() }),
  ),
  owner<AttachRealtimeOptions>(
    'attachRealtime',
    { ...serverKinds, pingIntervalMs: whole(1), pingTimeoutMs: whole(1), socketIo: object({ path: '/rt' }) },
    (options) => {
      const realtime = attachRealtime(createServer(), options)
      return () => realtime.close()
    },
    () => ({ state: store() }),
  ),
  owner<LimitOptions>('createRealtimeServer, limits', limitKinds, (limits) => created({ limits })),
  owner<AttachLimitOptions>('attachRealtime, limits', { ...limitKinds, maxPayloadBytes: whole(1) }, (limits) => {
    const realtime = attachRealtime(createServer(), { state: store(), limits })
    return () => realtime.close()
  }),
  owner<BackpressureOptions>(
    'createRealtimeServer, backpressure',
    { maxUnsentPackets: whole(1), maxUnsentBytes: whole(1) },
    (backpressure) => created({ backpressure }),
  ),
  owner<ShutdownOptions>('createRealtimeServer, shutdown', { drainMs: whole(0), reconnectAfterMs: whole(0) }, (shutdown) =>
    created({ shutdown }),
  ),
  owner<PresenceOptions>(
    'presence of attachRealtime',
    {
      maxInfoBytes: whole(1),
      updatesPerSecond: whole(1),
      tickMs: whole(1),
      maxMembers: whole(1),
      overflow: oneOf('refuse', 'count'),
      graceMs: whole(1),
    },
    (presence) => {
      const realtime = attachRealtime(createServer(), { state: store(), presence })
      return () => realtime.close()
    },
  ),
  owner<LockOptions>(
    'locks of attachRealtime',
    {
      required: {
        good: [[], ['form:*'], [{ pattern: 'form:*', always: true }]],
        isGood: isPatternList,
      },
      ...{ maxInfoBytes: whole(1), ttlMs: whole(1), maxTtlMs: whole(1) },
    },
    (locks) => {
      const realtime = attachRealtime(createServer(), { state: store(), locks })
      return () => realtime.close()
    },
  ),
  owner<RoomsOptions>('rooms of attachRealtime', { timeoutMs: whole(1), maxResults: whole(1) }, (rooms) => {
    const realtime = attachRealtime(createServer(), { state: store(), rooms })
    return () => realtime.close()
  }),
  owner<ActAsOptions>('realtime.as', { address: text('127.0.0.1') }, (options) =>
    withServer((realtime) => void realtime.as(null, options)),
  ),
  owner<SubscriptionOptions>('realtime.events.subscribe', running, (options) =>
    withServer((realtime) => realtime.events.subscribe('a', () => {}, options)()),
  ),
  owner<SubscriptionOptions>('realtime.as().events.subscribe', running, (options) =>
    withServer((realtime) => realtime.as({ id: 'ann' }).events.subscribe('a', () => {}, options)()),
  ),
  ...stateOwners,
  owner<{ commandTimeoutMs?: number }>('redisOptions', { commandTimeoutMs: whole(1) }, (options) => void redisOptions(options)),
  owner<RealtimeSchema>(
    'defineSchema',
    { state: tables, events: tables, presence: tables, messages: tables, locks: tables, rooms: tables },
    (options) => void defineSchema(options),
  ),
  owner<Parameters<typeof rules>[0]>(
    'rules',
    { state: tables, events: tables, presence: tables, locks: tables, documents: tables, rooms: tables },
    (options) => void rules(options),
  ),
  owner<object>('a row of rules', { read: anything, write: anything }, (options) => void rules({ state: { 'todos:*': options } })),
]

const list = (...good: unknown[]): Kind => ({ good, isGood: (value) => Array.isArray(value) })

const clientKinds: Kinds<RealtimeClientOptions> = {
  url: { good: ['http://127.0.0.1:1', 'ws://127.0.0.1:1', new URL('http://127.0.0.1:1')], isGood: () => false },
  path: { good: ['/rt', '/socket.io/'], isGood: (value) => typeof value === 'string' && value.startsWith('/') },
  transports: { good: [['websocket'], ['polling', 'websocket']], isGood: () => false },
  auth: {
    good: [{ token: 'a' }, () => ({ token: 'a' })],
    isGood: (value) => typeof value === 'function' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
  },
  maxAttempts: { good: [0, 5, Infinity], isGood: (value) => value === Infinity || whole(0, Number.MAX_SAFE_INTEGER).isGood(value) },
  requestTimeoutMs: whole(1),
  probeTimeoutMs: whole(1),
  autoConnect: { good: [false], isGood: flag.isGood },
  maxPendingChanges: whole(1),
  entries: list([], [{ key: 'a', version: 1, value: 1 }]),
  offlineQueue: callback,
  onError: callback,
  transport: callback,
  clock: never,
  random: callback,
  network: never,
}

const stateKinds: Kinds<UseRealtimeStateOptions> = {
  strategy: oneOf('immediate', 'debounced', 'manual'),
  debounceMs: whole(0),
  onlyIfUnchanged: flag,
  lock: anything,
}

const collectionKinds: Kinds<CollectionOptions> = { limit: whole(1) }

async function withClient(run: (client: RealtimeClient) => unknown): Promise<void> {
  const client = createRealtimeClient({ url: 'http://127.0.0.1:1', autoConnect: false })
  try {
    await run(client)
  } finally {
    await client.close()
  }
}

const inApp = (realtime: Realtime, run: () => unknown): void => {
  const app = createSSRApp({})
  app.use(realtime)
  app.runWithContext(run)
}

const rendering = (run: () => unknown): void => inApp(createRealtime({ read: async () => [] }), run)

const { url, path, transports } = clientKinds

const clientOwners: Owner[] = [
  owner<SocketTransportOptions>(
    'socketTransport',
    { url, path, transports },
    (options) => void socketTransport(options),
    () => ({ url: 'http://127.0.0.1:1' }),
  ),
  owner<RealtimeClientOptions>(
    'createRealtimeClient',
    clientKinds,
    (options) => {
      const client = createRealtimeClient(options)
      return () => client.close()
    },
    () => ({ url: 'http://127.0.0.1:1', autoConnect: false }),
    // Outside of a page.
    ['url'],
  ),
  owner<StateOptions<unknown>>('client.state', { ...stateKinds, default: anything }, (options) =>
    withClient((client) => client.state('a', options).dispose()),
  ),
  owner<PublishOptions>('client.events.publish', { includeSelf: flag }, (options) =>
    withClient((client) => client.events.publish('a', 1, options).catch(but('UNAVAILABLE'))),
  ),
  owner<CollectionOptions>('collection', collectionKinds, (options) => withClient((client) => collection(client, 'a:', options).dispose())),
  owner<LockHandleOptions<unknown>>('lock', { info: anything, ttlMs: whole(1) }, (options) =>
    withClient((client) => lock(client, 'a', options).dispose()),
  ),
  owner<ClientPresenceOptions<unknown>>('presence', { info: anything, count: flag }, (options) =>
    withClient((client) => presence(client, 'a', options).dispose()),
  ),
  owner<OfflineQueueOptions>(
    'createOfflineQueue',
    { name: text('ann'), timeoutMs: whole(1) },
    (options) => void createOfflineQueue(options),
  ),
]

const vueOwners: Owner[] = [
  owner<ExistingClientOptions>(
    'createRealtime, of a client',
    { client: never, entries: list([]) },
    (options) => {
      const { client } = createRealtime(options)
      return () => client.close()
    },
    () => ({ client: createRealtimeClient({ url: 'http://127.0.0.1:1', autoConnect: false }) }),
    [],
  ),
  owner<PageOptions>(
    'createRealtime, of a page',
    { read: callback, list: callback },
    (options) => void createRealtime(options),
    () => ({ read: async () => [] }),
    [],
  ),
  owner<UseRealtimeStateOptions>('useRealtimeState', stateKinds, (options) => rendering(() => useRealtimeState('a', 0, options))),
  owner<UseRealtimeCollectionOptions>('useRealtimeCollection', collectionKinds, (options) =>
    rendering(() => useRealtimeCollection('a:', options)),
  ),
  owner<UseRealtimeLockOptions<unknown>>('useRealtimeLock', { info: anything, ttlMs: whole(1), onLost: callback }, (options) =>
    rendering(() => useRealtimeLock('a', options)),
  ),
  owner<UseRealtimePresenceOptions<unknown>>('useRealtimePresence', { info: anything, count: flag }, (options) =>
    rendering(() => useRealtimePresence('a', options)),
  ),
  owner<UseRealtimeCursorsOptions>('useRealtimeCursors', { idleMs: whole(1) }, (options) =>
    rendering(() => useRealtimeCursors('a', options)),
  ),
  owner<UseRealtimeEventsOptions>('useRealtimeEvents', { includeSelf: flag }, (options) => rendering(() => useRealtimeEvents(options))),
]

/** Everything of the public surface that takes options. */
export const owners: readonly Owner[] = [...serverOwners, ...clientOwners, ...vueOwners]
