import { isKey, jsonCopy, PROTOCOL_VERSION, RealtimeError, type Entry } from '@tutti/protocol'
import {
  callback,
  flag,
  isJsonObject,
  parseOptions,
  safeErrorListener,
  wholeNumber,
  withMethods,
  type OptionRows,
} from '@tutti/protocol/internal'
import type { RetryContext } from './connection/retry.ts'
import { assertName } from './assert-name.ts'
import { systemClock, type Clock } from './connection/clock.ts'
import type { Connection, ConnectionState } from './connection/connection-contract.ts'
import { createConnection } from './connection/connection.ts'
import { createEvents, type EventMap, type Events } from './events/events.ts'
import type { OfflineQueue } from './state/pending-change-store.ts'
import { systemNetwork, type Network } from './connection/network.ts'
import { SOCKET_OPTIONS, socketTransport, type SocketTransportOptions } from './connection/socket-transport.ts'
import type { StateOf } from './schema-types.ts'
import type { Observable } from './observable.ts'
import { createStateHandle, type HandleContext } from './state/state-handle.ts'
import type { StateHandle, StateOptions } from './state/state-contract.ts'
import { createKeyRegistry } from './state/key-registry.ts'
import type { Transport } from './connection/transport.ts'

/** The credentials of the user, e.g. `{ token }`. */
export type Auth = Readonly<Record<string, unknown>>

/**
 * Where a background failure happened: a listener threw, the server refused a subscription of events, changes could not be
 * stored, or one of an earlier page was refused.
 */
export interface ErrorContext {
  stage: 'listener' | 'subscribe' | 'offlineQueue'
}

/** Options of `createRealtimeClient`. */
export interface RealtimeClientOptions extends SocketTransportOptions {
  /** A function is called before each try to connect, so that a token can be renewed. */
  auth?: (Auth | (() => Auth | Promise<Auth>)) | undefined
  /** Tries of reconnecting in a row before the status is `closed`. Default: for ever. */
  maxAttempts?: number | undefined
  /** How long to wait for the server's hello and for each answer before the connection counts as lost, milliseconds. Default 10,000. */
  requestTimeoutMs?: number | undefined
  /**
   * How long the server may be silent after a wake-up (the page is shown again, the network changed, the machine slept) before
   * the connection counts as lost, milliseconds. Default 3,000.
   */
  probeTimeoutMs?: number | undefined
  /** `false`: connects when `connection.connect()` is called. Default `true`. */
  autoConnect?: boolean | undefined
  /** Unconfirmed changes at most, after merging; more are refused with `OVERFLOW`. Default 1,000. */
  maxPendingChanges?: number | undefined
  /**
   * Entries that a server already sent, e.g. in the page that it rendered: shown from the first moment, and only what
   * differs is requested.
   */
  entries?: readonly Entry[] | undefined
  /** Stores unconfirmed changes so that they outlive the page: `createOfflineQueue()` of `@tutti/client/offline-queue`. Default: in memory alone. */
  offlineQueue?: OfflineQueue | undefined
  /** Called with failures that no caller awaits. Default: `reportError` in browsers, else `console.error`. */
  onError?: ((error: unknown, context: ErrorContext) => void) | undefined
  /** Another way to reach the server than Socket.IO; `url`, `path` and `transports` are then not used. */
  transport?: Transport | undefined
  /** For tests. */
  clock?: Clock | undefined
  /** For tests: numbers from 0 up to, not including, 1. */
  random?: (() => number) | undefined
  /** For tests, and for platforms that know better than `navigator.onLine`. */
  network?: Network | undefined
}

/** The application's end of the connection. */
export interface ClientConnection extends Observable<ConnectionState> {
  /** Connects again after `disconnect()`, after `closed`, or at once instead of after the current wait. */
  connect(): void
  /** Goes offline until `connect()`; changes wait until then. */
  disconnect(): void
}

/** The inside of a client. */
export interface ClientInternals extends HandleContext, RetryContext {
  connection: Connection
  isClosed(): boolean
}

/** State, events and connection of one application. */
export interface RealtimeClient<Types extends EventMap = object> {
  /** Random, made with the client; the server knows its mutations by it. */
  readonly clientId: string
  readonly connection: ClientConnection
  readonly events: Events<Types>
  /** A handle on a key; dispose of it when it is no longer used. Throws `INVALID_KEY`, `CLOSED`. */
  readonly state: StateOf<Types>
  /**
   * What other entries of this package use.
   * @internal
   */
  readonly internals: ClientInternals
  /**
   * Disposes of every handle, waits until what they sent is confirmed (as long as there is a connection, `requestTimeoutMs` at
   * most) and disconnects. What is then unconfirmed rejects with `CLOSED`, or `OUTCOME_UNKNOWN` where it was sent. Idempotent.
   */
  close(): Promise<void>
}

const NO_ENTRIES: readonly Entry[] = []

/** A random id as the server takes it: up to 32 letters and digits. Pages on plain http have no `crypto.randomUUID`. */
const createClientId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join('')

const OPTIONS = {
  ...SOCKET_OPTIONS,
  auth: ['an object or a function', (value) => typeof value === 'function' || isJsonObject(value), undefined],
  maxAttempts: wholeNumber(0, Infinity, Infinity),
  requestTimeoutMs: wholeNumber(1, 10_000),
  probeTimeoutMs: wholeNumber(1, 3_000),
  autoConnect: flag(true),
  maxPendingChanges: wholeNumber(1, 1_000),
  entries: ['a list of entries', Array.isArray, NO_ENTRIES],
  offlineQueue: callback(undefined),
  onError: callback(undefined),
  transport: callback(undefined),
  clock: withMethods(['now', 'after'], systemClock),
  random: callback(Math.random),
  network: withMethods(['online', 'onChange'], systemNetwork),
} satisfies OptionRows<RealtimeClientOptions>

/**
 * Makes a client and begins to connect. Listeners of its observables are called synchronously, once after each change. Throws
 * `INVALID_OPTIONS` where `url` or `path` cannot work.
 */
export function createRealtimeClient(options?: RealtimeClientOptions): RealtimeClient
/** With types: `typeof schema` of a `defineSchema` knows keys and channels; a map of channels knows these alone. */
export function createRealtimeClient<Types extends EventMap>(options?: RealtimeClientOptions): RealtimeClient<Types>
export function createRealtimeClient(options: RealtimeClientOptions = {}): RealtimeClient {
  const settings = parseOptions('createRealtimeClient', OPTIONS, options, { keep: 'offlineQueue' })
  const { clock, requestTimeoutMs, auth, url, path, transports } = settings
  // Before anything is opened, because it may throw.
  const transport = settings.transport ?? socketTransport({ url, path, transports })
  const clientId = createClientId()
  const report = safeErrorListener(settings.onError)
  const onError = (error: unknown, stage: ErrorContext['stage']): void => report(error, { stage })
  const onThrow = (error: unknown): void => onError(error, 'listener')
  let closing: Promise<void> | undefined

  const store = settings.offlineQueue?.({
    clientId,
    clock,
    adopt: (key, run) => keys.adopt(key, run),
    onError: (error) => onError(error, 'offlineQueue'),
  })
  const connection = createConnection({
    ...settings,
    transport,
    handshake: async () => {
      // What is not JSON would throw in the transport, where the error would be lost.
      const credentials = jsonCopy((typeof auth === 'function' ? await auth() : auth) ?? {}, 'auth')
      if (!isJsonObject(credentials)) throw new RealtimeError('INVALID_VALUE', { message: '`auth` must return a JSON object.' })
      // Changes of an earlier page are sent first.
      await store?.restore()
      return { ...credentials, protocol: PROTOCOL_VERSION, clientId, features: [] }
    },
    onThrow,
  })
  const given = { ...settings, connection, onThrow, store, isClosed: () => closing !== undefined }
  const keys = createKeyRegistry(given)
  const internals = { ...given, keys }
  const events = createEvents<object>({ ...given, onError })

  function state<T>(key: string, options: StateOptions<T> & { default: T }): StateHandle<T, T>
  function state<T>(key: string, options?: StateOptions<T>): StateHandle<T>
  function state(key: string, options: StateOptions<unknown> = {}): StateHandle<unknown> {
    if (closing) throw new RealtimeError('CLOSED')
    return createStateHandle(assertName(isKey, key, 'INVALID_KEY'), options, internals)
  }

  const close = async (): Promise<void> => {
    for (const { users } of keys.known()) for (const user of users) user.dispose()
    await drained()
    keys.close()
    connection.close()
  }

  /** Settles when nothing is pending, or when it makes no sense to wait. */
  const drained = (): Promise<void> =>
    new Promise<void>((resolve) => {
      const snapshot = (): void => {
        if (keys.pendingCount() > 0 && connection.up) return
        cancel()
        resolve()
      }
      const cancel = clock.after(requestTimeoutMs, resolve)
      connection.subscribe(snapshot)
      keys.watch(snapshot)
      snapshot()
    })

  return {
    clientId,
    connection,
    events,
    state,
    internals,
    close: () => (closing ??= close()),
  }
}
