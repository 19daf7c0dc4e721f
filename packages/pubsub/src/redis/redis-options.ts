import { RealtimeError } from '@tutti/protocol'
import { parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import type { Redis } from 'ioredis'

/** Longer than any event-loop stall that calls should survive: timers fire before the replies that wait behind a stall. */
export const COMMAND_TIMEOUT_MS = 5_000

/** Time after which a connection attempt fails, milliseconds. */
export const CONNECT_TIMEOUT_MS = 2_000

/** Delay before a connection attempt, milliseconds. */
export const retryDelayMs = (attempt: number): number => Math.min(50 * attempt, 500)

// Nothing may be sent late or twice (N5): by default ioredis keeps unwritten commands and repeats unanswered ones.
const REQUIRED = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // ioredis resubscribes without awaiting the outcome. The link resubscribes itself and knows when it is done (N6).
  autoResubscribe: false,
  // ioredis 6 uses RESP3 by default, whose replies have other shapes; ioredis 5 ignores the option.
  protocol: 2,
} as const

/** Options of `redisOptions`. */
export interface RedisTimeouts {
  /**
   * Time after which a command without a reply fails and the connection is replaced, milliseconds.
   *
   * @default 5_000
   */
  commandTimeoutMs?: number | undefined
}

const OPTIONS = { commandTimeoutMs: wholeNumber(1, COMMAND_TIMEOUT_MS) } satisfies OptionRows<RedisTimeouts>

/**
 * The settings of ioredis with which no command is sent late or twice, for clients that the application creates. It may add options,
 * but not override these.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const [pub, sub] = [new Redis(url, redisOptions()), new Redis(url, redisOptions())]
 * const pubsub = new RealtimePubSub({ clients: { pub, sub } })
 */
export function redisOptions(options: RedisTimeouts = {}) {
  const { commandTimeoutMs } = parseOptions('redisOptions', OPTIONS, options)
  return {
    ...REQUIRED,
    commandTimeout: commandTimeoutMs,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // An abandoned connection closes soon, together with its buffer.
    disconnectTimeout: 100,
    maxLoadingRetryTime: 500,
    // A peer that disappeared silently is detected within about 15 s, even on a connection that only receives.
    keepAlive: 5_000,
    disableClientInfo: true,
    retryStrategy: retryDelayMs,
    // The server became a replica: the address may lead to the new master.
    reconnectOnError: (error: Error) => error.message.includes('READONLY'),
  }
}

/** Throws `INVALID_OPTIONS` for a client that would send late or twice (N8). */
export function checkClient(client: Redis, name: string): void {
  const wrong = Object.entries(REQUIRED).find(([option, value]) => new Map(Object.entries(client.options)).get(option) !== value)
  if (wrong !== undefined || typeof client.options.commandTimeout !== 'number' || typeof client.options.retryStrategy !== 'function') {
    const option = wrong?.[0] ?? (typeof client.options.commandTimeout === 'number' ? 'retryStrategy' : 'commandTimeout')
    throw new RealtimeError('INVALID_OPTIONS', {
      message: `Client \`${name}\` has an unsupported \`${option}\`. Create it with new Redis({ …, ...redisOptions() }).`,
    })
  }
  if (client.status === 'end')
    throw new RealtimeError('INVALID_OPTIONS', { message: `Client \`${name}\` is already closed. Pass an open client.` })
}
