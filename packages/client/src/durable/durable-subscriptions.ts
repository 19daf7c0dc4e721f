import { fromWireError, isKey, jsonCopy, RealtimeError } from '@tutti/protocol'
import { callback, callSafely, flag, parseOptions, text, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import { createSubscriptions } from '../connection/subscriptions.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'

/** Where an event came from. */
export interface DurableEventContext {
  channel: string
  /** The place of the event in the log of the channel. Pass it as `from` to continue there, for example after a reload. */
  offset: string
}

/** Where a subscription begins. The first listener of a channel decides for all. */
export interface DurableSubscribeOptions {
  /** The offset after which events are delivered. Without it, and without `rewind`, only new events are. */
  from?: string | undefined
  /** Number of newest events that are delivered first. @default 0 */
  rewind?: number | undefined
  /** Called when events may be lost: they are no longer in the log. Without it, a loss is not reported. */
  onGap?: (() => void) | undefined
}

const OPTIONS = {
  from: text(undefined),
  rewind: wholeNumber(0, undefined),
  onGap: callback(undefined),
} satisfies OptionRows<DurableSubscribeOptions>

/** A listener of one durable channel. */
export type DurableListener = (data: unknown, context: DurableEventContext) => void

interface Listener {
  readonly run: DurableListener
  readonly onGap: (() => void) | undefined
}

interface Channel {
  readonly listeners: Set<Listener>
  /** Where the first subscription begins. */
  readonly start: { offset?: string | undefined; rewind?: number | undefined }
  /** Where the next subscription continues. */
  offset: string | undefined
  /** Missed events are being sent. */
  isReplaying: boolean
}

type Subscribe = (name: string, listener: Listener, start: Channel['start']) => () => void

const clients = new WeakMap<RealtimeClient, Subscribe>()

/**
 * Subscribes to a durable channel. After a reconnect the events that were missed follow, each once and in order, or `onGap` is called.
 * Returns an unsubscribe function.
 *
 * @throws {RealtimeError} `INVALID_CHANNEL`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * subscribeDurable(client, 'orders', (order, { offset }) => show(order), { rewind: 20 })
 */
export function subscribeDurable(
  client: RealtimeClient,
  channel: string,
  run: DurableListener,
  options: DurableSubscribeOptions = {},
): () => void {
  const { from, rewind, onGap } = parseOptions('subscribeDurable', OPTIONS, options)
  if (client.internals.isClosed()) throw new RealtimeError('CLOSED')
  const subscribe = clients.get(client) ?? createDurableSubscriptions(client)
  clients.set(client, subscribe)
  return subscribe(assertName(isKey, channel, 'INVALID_CHANNEL'), { run, onGap }, { offset: from, rewind })
}

/** How an event is published on a durable channel. */
export interface DurablePublishOptions {
  /** This client receives it too, if it subscribed. @default false */
  includeSelf?: boolean | undefined
  /** An event whose id is in the log is not appended again, so the same call can be repeated. At most 64 characters. Unset by default. */
  id?: string | undefined
}

const PUBLISH_OPTIONS = { includeSelf: flag(undefined), id: text(undefined) } satisfies OptionRows<DurablePublishOptions>

/**
 * Publishes on a durable channel. Settles when the event is in its log.
 *
 * @throws {RealtimeError} the codes of `client.events.publish`, and `BACKLOG_FULL`.
 *
 * @example
 * await publishDurable(client, 'orders', { item: 'Milk' }, { id: crypto.randomUUID() })
 */
export const publishDurable = (
  { internals }: RealtimeClient,
  channel: string,
  data: unknown,
  options: DurablePublishOptions = {},
): Promise<void> => {
  const published = new Promise<void>((resolve, reject) => {
    const { includeSelf, id } = parseOptions('publishDurable', PUBLISH_OPTIONS, options)
    if (internals.isClosed()) throw new RealtimeError('CLOSED')
    const event = { channel: assertName(isKey, channel, 'INVALID_CHANNEL'), data: jsonCopy(data), includeSelf, id }
    internals.connection.request('event:publish', event, ({ error }) => (error === undefined ? resolve() : reject(error)))
  })
  // A caller that ignores the promise must not end a Node process.
  published.catch(() => {})
  return published
}

function createDurableSubscriptions({ internals }: RealtimeClient): Subscribe {
  const { connection, onThrow } = internals
  const channels = new Map<string, Channel>()
  const subscriptions = createSubscriptions({
    ...internals,
    batches: (names) => names.map((name) => [name]),
    request: ([channel = ''], on, done) => {
      if (!on) return connection.request('event:unsubscribe', { channel }, ({ error }) => done(error))
      const known = channels.get(channel)
      const start = known?.offset === undefined ? known?.start : { offset: known.offset, skipOwn: true }
      connection.request('event:subscribe', { channel, ...start }, ({ result, error }) => {
        if (known !== undefined) known.offset ??= result?.offset
        done(error)
      })
    },
    onRefused: (_name, error) => onThrow(error),
    onGone: () => {},
  })
  const deliver = (name: string, channel: Channel, offset: string, data: unknown): void => {
    channel.offset = offset
    for (const { run } of [...channel.listeners]) callSafely(() => run(data, { channel: name, offset }), onThrow)
  }

  connection.attach({
    onUp: subscriptions.restore,
    onDown: () => {
      for (const channel of channels.values()) channel.isReplaying = false
      subscriptions.lose()
    },
    'server:revoked': ({ target, error }) => {
      if ('channel' in target) subscriptions.revoke(target.channel, fromWireError(error))
    },
    'event:received': ({ channel: name, data, offset }) => {
      const channel = channels.get(name)
      // While missed events are sent, this one was sent for a pattern. It follows with the missed events.
      if (channel?.offset !== undefined && offset !== undefined && !channel.isReplaying) deliver(name, channel, offset, data)
    },
    'event:replayed': ({ channel: name, epoch, events, more }) => {
      const channel = channels.get(name)
      if (channel === undefined) return
      channel.isReplaying = more === true
      for (const { offset, data } of events) deliver(name, channel, `${epoch}-${offset}`, data)
    },
    'event:gap': ({ channel: name, offset }) => {
      const channel = channels.get(name)
      if (channel === undefined) return
      channel.offset = offset
      for (const { onGap } of [...channel.listeners]) if (onGap !== undefined) callSafely(onGap, onThrow)
    },
  })

  return (name, listener, start) => {
    const channel = channels.get(name) ?? { listeners: new Set(), start, offset: undefined, isReplaying: false }
    channels.set(name, channel)
    channel.listeners.add(listener)
    subscriptions.want(name)
    return () => {
      if (!channel.listeners.delete(listener) || channel.listeners.size > 0) return
      channels.delete(name)
      subscriptions.unwant(name)
    }
  }
}
