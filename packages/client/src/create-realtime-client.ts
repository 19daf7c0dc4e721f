import { isKey, jsonCopy, PROTOCOL_VERSION, RealtimeError } from '@tutti/protocol'
import { isJsonObject, safeErrorListener } from '@tutti/protocol/internal'
import { assertName } from './assert-name.ts'
import { parseClientOptions, type ErrorContext, type RealtimeClientOptions } from './client-options.ts'
import type { Connection, ConnectionState } from './connection/connection-contract.ts'
import { createConnection } from './connection/connection.ts'
import type { RetryContext } from './connection/retry.ts'
import { socketTransport } from './connection/socket-transport.ts'
import { createEvents, type EventMap, type Events } from './events/events.ts'
import type { Observable } from './observable.ts'
import type { StateOf } from './schema-types.ts'
import { createKeyRegistry } from './state/key-registry.ts'
import type { StateHandle, StateOptions } from './state/state-contract.ts'
import { createStateHandle, type HandleContext } from './state/state-handle.ts'

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
  maxPendingChanges: number
  isClosed(): boolean
}

/** State, events and connection of one application. */
export interface RealtimeClient<Types extends EventMap = object> {
  /** Random, made with the client; the server knows its mutations by it. */
  readonly clientId: string
  readonly connection: ClientConnection
  readonly events: Events<Types>
  /**
   * A handle on a key; dispose of it when it is no longer used.
   *
   * @throws {RealtimeError} `INVALID_KEY`, `CLOSED`, `INVALID_OPTIONS`.
   *
   * @example
   * const count = client.state('count', { default: 0 })
   * await count.increment()
   */
  readonly state: StateOf<Types>
  /**
   * What other entries of this package use.
   * @internal
   */
  readonly internals: ClientInternals
  /**
   * Disposes of every handle, waits until what they sent is confirmed (as long as there is a connection, `requestTimeoutMs` at
   * most), leaves its rooms and disconnects. Changes that are still unconfirmed then reject with `CLOSED`, or with
   * `OUTCOME_UNKNOWN` if they were sent. Idempotent.
   */
  close(): Promise<void>
}

/** A random id as the server takes it: up to 32 letters and digits. Pages on plain http have no `crypto.randomUUID`. */
const createClientId = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(36)).join('')

/**
 * Makes a client and begins to connect. Listeners of its observables are called synchronously, once after each change.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`, for example for a `url` or `path` that cannot work.
 *
 * @example
 * const client = createRealtimeClient({ url: 'https://example.org' })
 * const count = client.state('count', { default: 0 })
 * count.subscribe(({ value }) => console.log(value))
 */
export function createRealtimeClient(options?: RealtimeClientOptions): RealtimeClient
/** With types: `typeof schema` of a `defineSchema` knows keys and channels; a map of channels knows these alone. */
export function createRealtimeClient<Types extends EventMap>(options?: RealtimeClientOptions): RealtimeClient<Types>
export function createRealtimeClient(options: RealtimeClientOptions = {}): RealtimeClient {
  const settings = parseClientOptions(options)
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
