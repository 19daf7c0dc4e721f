import { createCommandSender } from '@tutti/coordination'
import { RealtimeError, type RealtimeSchema } from '@tutti/protocol'
import { callback, parseOptions, type OptionRows } from '@tutti/protocol/internal'
import type { RealtimePubSub } from '@tutti/pubsub'
import { checkValue } from '../check-value.ts'
import { ROOMS_ROWS, type RoomsOptions } from './rooms-options.ts'
import { sendRoomCommand } from './send-room-command.ts'
import type { RoomCalls } from './rooms-contract.ts'
import { createRoomCalls } from './server-rooms.ts'

/** Options of `createRoomSender`: those of rooms, the schema and the error listener. */
export interface RoomSenderOptions extends RoomsOptions {
  /** The schemas of messages: `defineSchema({ rooms, messages })` of `@tutti/protocol`. Without it, any JSON is valid. */
  schema?: RealtimeSchema | undefined
  /**
   * Called with replies that do not parse.
   *
   * @default console.error
   */
  onError?: ((error: unknown, context: { stage: string }) => void) | undefined
}

/** The calls of `realtime` that concern connections, from a process that has none. */
export interface RoomSender extends RoomCalls {
  /** Settles when replies of the instances are received. Calls wait for it. Never becomes an unhandled rejection. */
  readonly ready: Promise<void>
  /** Calls that wait reject with `CLOSED`, and so do later ones. The `pubsub` stays open. Idempotent. */
  close(): void
}

const OPTIONS = {
  ...ROOMS_ROWS,
  schema: ['the result of `defineSchema`', (value) => typeof value === 'object' && value !== null, {}],
  onError: callback(undefined),
} satisfies OptionRows<RoomSenderOptions>

/**
 * Sends to the connections of a cluster, and moves them between rooms, from a process without Socket.IO, such as a worker or a script.
 * The calls and their results are those of `realtime.rooms`, `realtime.broadcast`, `realtime.user(id)` and `realtime.connection(id)`.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`, also for a `pubsub` that is not a `RealtimePubSub`.
 *
 * @example
 * const { rooms, user } = createRoomSender(new RealtimePubSub({ url: process.env.REDIS_URL }))
 * const { missing } = await rooms.broadcast('proj:1', 'imported', { rows: 120 })
 */
export function createRoomSender(pubsub: Pick<RealtimePubSub, 'link' | 'instanceId'>, options: RoomSenderOptions = {}): RoomSender {
  const { schema, onError, ...settings } = parseOptions<RoomSenderOptions, typeof OPTIONS>('createRoomSender', OPTIONS, options)
  if (!('link' in pubsub)) {
    throw new RealtimeError('INVALID_OPTIONS', { message: 'createRoomSender: `pubsub` must be a RealtimePubSub.' })
  }
  const sender = createCommandSender(pubsub.link, pubsub.instanceId, { onError })
  const calls = createRoomCalls({
    ...settings,
    send: sendRoomCommand(sender),
    check: (name, data, room) => checkValue(schema, 'messages', name, data, room),
  })
  return { ...calls, ready: sender.ready, close: sender.close }
}
