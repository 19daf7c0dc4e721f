import { RealtimeError } from '@tutti/protocol'
import { createDeferred, createListeners, type Deferred, type Listeners } from '@tutti/protocol/internal'
import type { Unsubscribe } from '../contract.ts'
import type { Report } from '../report.ts'
import { isConnectionFailure } from './errors.ts'
import type { RedisClient } from './redis-client.ts'

/** Subscriptions of one kind by this instance: one command each, regardless of the number of handlers (N3). */
export interface Subscriptions<Args extends unknown[]> {
  add(channel: string, handler: (...args: Args) => void): Unsubscribe
  /** A message for the subscription that Redis knows by this name. Returns whether there is one. */
  receive(redisName: string, ...args: Args): boolean
  /** Subscribes again to everything, on a connection without subscriptions. Commands sent later on it are answered later. */
  renew(): void
  /** Ends all subscriptions. */
  clear(): void
}

interface Subscription<Args extends unknown[]> {
  readonly channel: string
  readonly handlers: Listeners<Args>
  readonly confirmed: Deferred<void>
  size: number
}

/** How Redis subscribes. In lower case: ioredis counts the replies of the commands that it knows by that name. */
const COMMANDS = {
  channels: { begin: 'subscribe', end: 'unsubscribe' },
  patterns: { begin: 'psubscribe', end: 'punsubscribe' },
} as const

/** Creates the registry. Commands are sent over `sub` only while it is up. */
export function createSubscriptions<Args extends unknown[]>(options: SubscriptionsOptions): Subscriptions<Args> {
  const { sub, nameOf, report, kind = 'channels' } = options
  const byName = new Map<string, Subscription<Args>>()

  const request = async (subscription: Subscription<Args>): Promise<void> => {
    try {
      await sub.ask(COMMANDS[kind].begin, [nameOf(subscription.channel)])
      subscription.confirmed.resolve()
    } catch (error) {
      // The reconnected client subscribes again; only a refusal by Redis is final.
      if (isConnectionFailure(error)) return
      report(error, { stage: 'subscribe', channel: subscription.channel })
      subscription.confirmed.reject(error)
    }
  }

  const open = (channel: string): Subscription<Args> => {
    const handlers = createListeners<Args>((error) => report(error, { stage: 'handler', channel }))
    const subscription = { channel, handlers, confirmed: createDeferred<void>(), size: 0 }
    byName.set(nameOf(channel), subscription)
    if (sub.isUp) void request(subscription)
    return subscription
  }

  const shut = (subscription: Subscription<Args>): void => {
    const name = nameOf(subscription.channel)
    byName.delete(name)
    subscription.confirmed.reject(new RealtimeError('CLOSED'))
    // A lost connection has no subscription to end, and one that fails now will have none.
    if (sub.isUp) sub.ask(COMMANDS[kind].end, [name]).catch(() => {})
  }

  return {
    add: (channel, handler) => {
      const subscription = byName.get(nameOf(channel)) ?? open(channel)
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
    receive: (redisName, ...args) => {
      const subscription = byName.get(redisName)
      subscription?.handlers.emit(...args)
      return subscription !== undefined
    },
    renew: () => {
      for (const subscription of byName.values()) void request(subscription)
    },
    clear: () => {
      for (const subscription of byName.values()) shut(subscription)
    },
  }
}

/** Options of the registry. */
export interface SubscriptionsOptions {
  sub: RedisClient
  /** The name of a channel or pattern in Redis. */
  nameOf: (channel: string) => string
  report: Report
  /** @default 'channels' */
  kind?: keyof typeof COMMANDS
}
