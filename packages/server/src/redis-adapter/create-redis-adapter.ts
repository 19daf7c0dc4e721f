import { createAdapter } from '@socket.io/redis-adapter'
import { RealtimeError } from '@tutti/protocol'
import { callback, parseOptions, safeErrorListener, wholeNumber, withMethods, type OptionRows } from '@tutti/protocol/internal'
import type { RealtimePubSub } from '@tutti/pubsub'
import type { Namespace } from 'socket.io'
import { adapterClients } from './adapter-clients.ts'

/** Options of the adapter. */
export interface RedisAdapterOptions {
  /**
   * How long `fetchSockets` and `serverSideEmit` wait for the replies of the other instances, milliseconds.
   *
   * @default 5_000
   */
  requestsTimeoutMs?: number | undefined
  /** Encodes what the instances send to each other, the same on all of them. Without it, MessagePack. */
  parser?: { encode(message: unknown): Buffer | string; decode(bytes: Buffer): unknown } | undefined
  /**
   * Called with messages that Redis refused or that could not be applied. Messages that were lost with the connection are not reported
   * one by one: the `pubsub` reports the outage.
   *
   * @default console.error
   */
  onError?: ((error: unknown, context: { stage: 'adapter' }) => void) | undefined
}

const OPTIONS = {
  requestsTimeoutMs: wholeNumber(1, 5_000),
  parser: withMethods(['encode', 'decode'], undefined),
  onError: callback(undefined),
} satisfies OptionRows<RedisAdapterOptions>

/** The beginning of its Redis channels, after the prefix. A client can name none that begins with `$`. */
const KEY = '$io'

/**
 * Makes Socket.IO's own calls (`io.to(room).emit`, `socketsJoin`, `fetchSockets`, …) apply to all instances on one Redis: by Socket.IO's
 * `@socket.io/redis-adapter`, over the two connections of the `pubsub`. Pass the result to the Socket.IO server as its `adapter`.
 * State, events and rooms of Tutti do not use it.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`, also for a `pubsub` that is not a `RealtimePubSub`.
 *
 * @example
 * const realtime = attachRealtime(httpServer, { state, pubsub, socketIo: { adapter: createRedisAdapter(pubsub) } })
 * realtime.io.to('lobby').emit('hello')
 */
export function createRedisAdapter(pubsub: Pick<RealtimePubSub, 'link'>, options: RedisAdapterOptions = {}) {
  const { requestsTimeoutMs, parser, onError } = parseOptions('createRedisAdapter', OPTIONS, options)
  if (!('link' in pubsub)) {
    throw new RealtimeError('INVALID_OPTIONS', { message: 'createRedisAdapter: `pubsub` must be a RealtimePubSub.' })
  }
  const { link } = pubsub
  const report = safeErrorListener(onError)
  const settings = {
    ...{ key: `${link.prefix}:${KEY}`, requestsTimeout: requestsTimeoutMs, ...(parser && { parser }) },
    // A reply is sent to the instance that waits for it, and not to all.
    publishOnSpecificResponseChannel: true,
  }
  // Not an arrow function: Socket.IO calls it with `new`.
  return function adapterOf(namespace: Namespace): Namespace['adapter'] {
    const { pub, sub } = adapterClients(link, (error) => report(error, { stage: 'adapter' }))
    return createAdapter(pub, sub, settings)(namespace)
  }
}
