import { RealtimeError } from '@tutti/protocol'
import { createDeferred, createListeners, type Deferred, type Listeners } from '@tutti/protocol/internal'
import type { MessageHandler, Unsubscribe } from '../contract.ts'
import type { Report } from '../report.ts'
import { isConnectionFailure } from './errors.ts'
import type { RedisClient } from './redis-client.ts'

/** The Redis channels subscribed by this instance: one SUBSCRIBE each, regardless of the number of handlers (N3). */
export interface Subscriptions {
  add(channel: string, handler: MessageHandler): Unsubscribe
  receive(redisChannel: string, text: string): void
  /** Subscribes to all channels again, on a connection without subscriptions. Commands sent later on it are answered later. */
  renew(): void
  /** Ends all subscriptions. */
  clear(): void
}

interface Subscription {
  readonly channel: string
  readonly handlers: Listeners<[string]>
  readonly confirmed: Deferred<void>
  size: number
}

/** Creates the registry. Commands are sent over `sub` only while it is up. */
export function createSubscriptions({ sub, prefix, report }: SubscriptionsOptions): Subscriptions {
  const byRedisChannel = new Map<string, Subscription>()
  const nameOf = (channel: string): string => `${prefix}:${channel}`

  const request = async (subscription: Subscription): Promise<void> => {
    try {
      // In lower case: ioredis counts the replies of the commands that it knows by that name.
      await sub.ask('subscribe', [nameOf(subscription.channel)])
      subscription.confirmed.resolve()
    } catch (error) {
      // The reconnected client subscribes again; only a refusal by Redis is final.
      if (isConnectionFailure(error)) return
      report(error, { stage: 'subscribe', channel: subscription.channel })
      subscription.confirmed.reject(error)
    }
  }

  const open = (channel: string): Subscription => {
    const handlers = createListeners<[string]>((error) => report(error, { stage: 'handler', channel }))
    const subscription = { channel, handlers, confirmed: createDeferred<void>(), size: 0 }
    byRedisChannel.set(nameOf(channel), subscription)
    if (sub.isUp) void request(subscription)
    return subscription
  }

  const shut = (subscription: Subscription): void => {
    const name = nameOf(subscription.channel)
    byRedisChannel.delete(name)
    subscription.confirmed.reject(new RealtimeError('CLOSED'))
    // A lost connection has no subscription to end, and one that fails now will have none.
    if (sub.isUp) sub.ask('unsubscribe', [name]).catch(() => {})
  }

  return {
    add: (channel, handler) => {
      const subscription = byRedisChannel.get(nameOf(channel)) ?? open(channel)
      const undo = subscription.handlers.add(handler)
      subscription.size += 1
      let active = true
      const unsubscribe = (): void => {
        if (!active) return
        active = false
        undo()
        subscription.size -= 1
        if (subscription.size === 0) shut(subscription)
      }
      return Object.assign(unsubscribe, { ready: subscription.confirmed.promise })
    },
    receive: (redisChannel, text) => byRedisChannel.get(redisChannel)?.handlers.emit(text),
    renew: () => {
      for (const subscription of byRedisChannel.values()) void request(subscription)
    },
    clear: () => {
      for (const subscription of byRedisChannel.values()) shut(subscription)
    },
  }
}

/** Options of the registry. */
export interface SubscriptionsOptions {
  sub: RedisClient
  prefix: string
  report: Report
}
