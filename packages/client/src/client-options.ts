import type { Entry } from '@tutti/protocol'
import { callback, flag, isJsonObject, parseOptions, wholeNumber, withMethods, type OptionRows } from '@tutti/protocol/internal'
import { systemClock, type Clock } from './connection/clock.ts'
import { systemNetwork, type Network } from './connection/network.ts'
import { SOCKET_OPTIONS, type SocketTransportOptions } from './connection/socket-transport.ts'
import type { Transport } from './connection/transport.ts'
import type { OfflineQueue } from './state/pending-change-store.ts'

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
  /** Credentials of the user, sent at each connect. A function is called before each attempt, so that a token can be renewed. Without it, none are sent. */
  auth?: (Auth | (() => Auth | Promise<Auth>)) | undefined
  /**
   * Consecutive attempts to reconnect before the status is `closed`.
   *
   * @default Infinity
   */
  maxAttempts?: number | undefined
  /**
   * How long to wait for the server's hello and for each reply before the connection counts as lost, milliseconds.
   *
   * @default 10_000
   */
  requestTimeoutMs?: number | undefined
  /**
   * How long the server may be silent after a wake-up (the page is shown again, the network changed, the machine slept) before
   * the connection counts as lost, milliseconds.
   *
   * @default 3_000
   */
  probeTimeoutMs?: number | undefined
  /**
   * `false`: the client connects when `connection.connect()` is called.
   *
   * @default true
   */
  autoConnect?: boolean | undefined
  /**
   * Maximum number of unconfirmed changes, after merging; more are refused with `OVERFLOW`.
   *
   * @default 1_000
   */
  maxPendingChanges?: number | undefined
  /**
   * Entries that a server already sent, e.g. in the page that it rendered: shown from the first moment, and only what
   * differs is requested. Without it, all entries are requested.
   */
  entries?: readonly Entry[] | undefined
  /**
   * Stores unconfirmed changes so that they outlive the page: `createOfflineQueue()` of `@tutti/client/offline-queue`. Without it,
   * they are in memory only.
   */
  offlineQueue?: OfflineQueue | undefined
  /**
   * Called with failures that no caller awaits.
   *
   * @default `reportError` in browsers, `console.error` elsewhere
   */
  onError?: ((error: unknown, context: ErrorContext) => void) | undefined
  /**
   * Another way to reach the server than Socket.IO; `url`, `path` and `transports` are then not used.
   *
   * @default socketTransport({ url, path, transports })
   */
  transport?: Transport | undefined
  /**
   * Time and timers, for tests.
   *
   * @default the clock of the machine
   */
  clock?: Clock | undefined
  /**
   * Numbers from 0 up to, not including, 1, for tests.
   *
   * @default Math.random
   */
  random?: (() => number) | undefined
  /**
   * The state of the network, for tests and for platforms without `navigator.onLine`.
   *
   * @default `navigator.onLine` and the events of the page
   */
  network?: Network | undefined
}

const NO_ENTRIES: readonly Entry[] = []

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

/** Options of `createRealtimeClient` with their defaults. Throws `INVALID_OPTIONS`. */
export const parseClientOptions = (options: RealtimeClientOptions) =>
  parseOptions('createRealtimeClient', OPTIONS, options, { keep: 'offlineQueue' })
