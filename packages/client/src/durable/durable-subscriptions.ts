import { fromWireError, RealtimeError } from '@tutti/protocol'
import { callSafely } from '@tutti/protocol/internal'
import { createSubscriptions } from '../connection/subscriptions.ts'
import type { ClientInternals } from '../create-realtime-client.ts'
import { oncePerClient } from '../once-per-client.ts'

/** Events between the two offsets may be lost: they are no longer in the log, or the log lost its data. */
export interface ChannelGap {
  readonly from: string
  readonly offset: string
}

/** A use of one durable channel. */
export interface DurableUse {
  receive(data: unknown, offset: string): void
  onGap?: ((gap: ChannelGap) => void) | undefined
  /** Events that were received together have been delivered; `offset`: where the next subscription continues. */
  onOffset?: ((offset: string) => void) | undefined
  onRefused(error: RealtimeError): void
}

/** Where a subscription begins. */
export interface DurableStart {
  readonly offset?: string | undefined
  readonly rewind?: number | undefined
}

/** The durable subscriptions of one client. */
export interface DurableSubscriptions {
  /** Adds a use of a channel. */
  open(name: string, use: DurableUse, start: DurableStart): DurableSubscription
}

/** A use that was added. */
export interface DurableSubscription {
  /** It begins the subscription, at `start`; otherwise it begins where the others are. */
  readonly isFirst: boolean
  /** Where it begins; `undefined` before the first `onOffset`. */
  readonly offset: string | undefined
  end(): void
}

interface Channel {
  readonly uses: Set<DurableUse>
  /** Where the first subscription begins. */
  readonly start: DurableStart
  /** Where the next subscription continues; `undefined` before the first reply. */
  offset: string | undefined
  /** Missed events are being sent, or requested after a reconnect. */
  isReplaying: boolean
}

/** The durable subscriptions of a client, made for its first one. */
export const durableSubscriptionsOf = oncePerClient(createDurableSubscriptions)

function createDurableSubscriptions(internals: ClientInternals): DurableSubscriptions {
  const { connection, onThrow } = internals
  const channels = new Map<string, Channel>()

  const each = (channel: Channel, run: (use: DurableUse) => void): void => {
    for (const use of [...channel.uses]) callSafely(() => run(use), onThrow)
  }
  const advance = (channel: Channel, offset: string): void => {
    channel.offset = offset
    each(channel, ({ onOffset }) => onOffset?.(offset))
  }
  const subscriptions = createSubscriptions({
    ...internals,
    batches: (names) => names.map((name) => [name]),
    request: ([channel = ''], on, done) => {
      const message = { channel, durable: true }
      if (!on) return connection.request('event:unsubscribe', message, ({ error }) => done(error))
      const known = channels.get(channel)
      const start = known?.offset === undefined ? known?.start : { offset: known.offset, skipOwn: true }
      connection.request('event:subscribe', { ...message, ...start }, ({ result, error }) => {
        done(error)
        const current = channels.get(channel)
        // All of its uses ended meanwhile, and others began somewhere else.
        if (current !== undefined && current !== known) return begin(channel)
        if (result === undefined || current === undefined) return
        // What the connection received of the channel by a pattern until now is not the next event.
        current.isReplaying = false
        if (result.offset !== undefined && current.offset === undefined) advance(current, result.offset)
      })
    },
    onRefused: (name, error) => {
      const channel = channels.get(name)
      if (channel !== undefined && error !== AGAIN) each(channel, (use) => use.onRefused(error))
    },
    onGone: () => {},
  })
  /** Subscribes, in place of an earlier subscription of the channel. */
  const begin = (name: string): void => {
    subscriptions.revoke(name, AGAIN)
    subscriptions.want(name)
  }

  connection.attach({
    onUp: subscriptions.restore,
    onDown: () => {
      for (const channel of channels.values()) channel.isReplaying = true
      subscriptions.lose()
    },
    'server:revoked': ({ target, error }) => {
      if ('channel' in target) subscriptions.revoke(target.channel, fromWireError(error))
    },
    'event:received': ({ channel: name, data, offset }) => {
      const channel = channels.get(name)
      // While missed events are sent, this one was sent for another subscription. It follows with the missed events.
      if (channel?.offset === undefined || offset === undefined || channel.isReplaying) return
      each(channel, (use) => use.receive(data, offset))
      advance(channel, offset)
    },
    'event:replayed': ({ channel: name, epoch, events, more }) => {
      const channel = channels.get(name)
      // Without an offset it belongs to an earlier subscription.
      if (channel?.offset === undefined) return
      channel.isReplaying = more === true
      for (const event of events) each(channel, (use) => use.receive(event.data, `${epoch}-${event.offset}`))
      const last = events.at(-1)
      if (last !== undefined) advance(channel, `${epoch}-${last.offset}`)
    },
    'event:gap': ({ channel: name, from, offset }) => {
      const channel = channels.get(name)
      if (channel?.offset === undefined) return
      each(channel, ({ onGap }) => onGap?.({ from, offset }))
      advance(channel, offset)
    },
  })

  return {
    open: (name, use, start) => {
      const known = channels.get(name)
      const channel = known ?? { uses: new Set<DurableUse>(), start, offset: undefined, isReplaying: false }
      channels.set(name, channel)
      channel.uses.add(use)
      if (known === undefined) begin(name)
      return {
        isFirst: known === undefined,
        offset: channel.offset,
        end: () => {
          if (!channel.uses.delete(use) || channel.uses.size > 0) return
          channels.delete(name)
          subscriptions.unwant(name)
        },
      }
    },
  }
}

/** The subscription is requested again. */
const AGAIN = new RealtimeError('CLOSED')
