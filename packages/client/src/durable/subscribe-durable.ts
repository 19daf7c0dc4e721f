import { isKey, RealtimeError } from '@tutti/protocol'
import { callback, callSafely, parseOptions, text, wholeNumber, withMethods, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import { durableSubscriptionsOf, type ChannelGap } from './durable-subscriptions.ts'
import { isOffset } from './offset-order.ts'

/** Where an event came from. */
export interface DurableEventContext {
  channel: string
  /** The place of the event in the log of the channel. Pass it as `from` to continue there. */
  offset: string
}

/** Where offsets are stored: `sessionStorage`, `localStorage`, or an object with these methods. */
export interface OffsetStorage {
  getItem(name: string): string | null
  setItem(name: string, value: string): void
}

/** Where a subscription begins. The first use of a channel decides for all. */
export interface DurableSubscribeOptions {
  /** The offset after which events are delivered. Without it, and without `rewind`, only new events are. */
  from?: string | undefined
  /** Number of newest events that are delivered first. @default 0 */
  rewind?: number | undefined
  /**
   * Keeps the offset of the last delivered events as `tutti:offset:<channel>`, and continues there after a reload of the page, in
   * place of `from` and `rewind`. @default none
   */
  storage?: OffsetStorage | undefined
  /** Called when events may be lost: they are no longer in the log. Without it, a loss is not reported. */
  onGap?: ((gap: ChannelGap) => void) | undefined
}

const OPTIONS = {
  from: text(undefined),
  rewind: wholeNumber(0, undefined),
  storage: withMethods(['getItem', 'setItem'], undefined),
  onGap: callback(undefined),
} satisfies OptionRows<DurableSubscribeOptions>

/** A listener of one durable channel. */
export type DurableListener = (data: unknown, context: DurableEventContext) => void

/**
 * Subscribes to a durable channel. After a reconnect the missed events follow, each once and in order, or `onGap` is called. Returns
 * an unsubscribe function.
 *
 * @throws {RealtimeError} `INVALID_CHANNEL`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * subscribeDurable(client, 'chat:room1', (message, { offset }) => show(message, offset), { rewind: 20 })
 */
export function subscribeDurable(
  { internals }: Pick<RealtimeClient, 'internals'>,
  channel: string,
  run: DurableListener,
  options: DurableSubscribeOptions = {},
): () => void {
  const { from, rewind, storage, onGap } = parseOptions('subscribeDurable', OPTIONS, options)
  const { isClosed, onThrow } = internals
  if (isClosed()) throw new RealtimeError('CLOSED')
  assertName(isKey, channel, 'INVALID_CHANNEL')
  const name = `tutti:offset:${channel}`
  let stored: string | null | undefined
  // Browsers can refuse access to their storage.
  if (storage !== undefined) callSafely(() => (stored = storage.getItem(name)), onThrow)
  const { end } = durableSubscriptionsOf(internals).open(
    channel,
    {
      receive: (data, offset) => run(data, { channel, offset }),
      onGap,
      onOffset: storage && ((offset) => storage.setItem(name, offset)),
      onRefused: onThrow,
    },
    isOffset(stored) ? { offset: stored } : { offset: from, rewind },
  )
  return end
}
