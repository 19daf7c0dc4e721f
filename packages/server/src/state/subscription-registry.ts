import type { Connection } from '../connection/connection.ts'
import { NameSet } from '../connection/name-set.ts'
import type { CursorIndex } from './connection-cursor.ts'
import { KeySubscription } from './key-subscription.ts'
import { PrefixSubscriptions } from './prefix-subscriptions.ts'

/** The keys and prefixes that have subscribers on this instance. Other keys cost nothing. */
export interface SubscriptionRegistry {
  readonly prefixes: PrefixSubscriptions
  /** The keys that have subscribers here, or are known below a prefix that has. */
  keys(): string[]
  has(key: string): boolean
  find(key: string): KeySubscription | undefined
  /** The subscription of the key, made where there is none. `collect` must follow at some time. */
  open(key: string): KeySubscription
  /** The subscription that a change of the key concerns, if any. */
  forChange(key: string): KeySubscription | undefined
  /** Forgets the key if no connection subscribes to it, or if it is removed and subscribed by prefix only. */
  collect(key: string): void
  /** Whether the connection subscribes to the key, or to a prefix above it. */
  isSubscribed(connection: Connection, key: string): boolean
  /** Whether any connection here subscribes to the key or a prefix above it, or is about to. */
  hasSubscribers(key: string): boolean
  /** The keys below the prefix for which the connection has a cursor. */
  cursorsBelow(connectionId: string, prefix: string): string[]
}

/** Makes the registry of one instance. */
export function createSubscriptionRegistry(): SubscriptionRegistry {
  const keys = new Map<string, KeySubscription>()
  const prefixes = new PrefixSubscriptions()
  /** By connection: the keys for which it has a cursor. */
  const cursors = new Map<string, NameSet>()
  const index: CursorIndex = {
    joining: (key) => prefixes.joining(key),
    hasPrefixAbove: (key) => prefixes.above(key).length > 0,
    add: (connectionId, key) => {
      const own = cursors.get(connectionId)
      if (own === undefined) cursors.set(connectionId, new NameSet([key]))
      else own.add(key)
    },
    delete: (connectionId, key) => {
      const own = cursors.get(connectionId)
      own?.delete(key)
      if (own?.size === 0) cursors.delete(connectionId)
    },
  }

  const open = (key: string): KeySubscription => {
    const existing = keys.get(key)
    if (existing !== undefined) return existing
    const opened = new KeySubscription(key, index)
    keys.set(key, opened)
    for (const prefix of prefixes.above(key)) prefix.keys.add(key)
    return opened
  }

  return {
    prefixes,
    keys: () => [...keys.keys()],
    has: (key) => keys.has(key),
    find: (key) => keys.get(key),
    open,
    forChange: (key) => (prefixes.above(key).length > 0 ? open(key) : keys.get(key)),
    collect: (key) => {
      const subscription = keys.get(key)
      if (subscription?.isIdle !== true || subscription.members !== undefined) return
      const above = prefixes.above(key)
      const isKept = !subscription.isBlank && above.length > 0
      if (!isKept) keys.delete(key)
      for (const prefix of above) {
        if (isKept) prefix.keys.add(key)
        else prefix.keys.delete(key)
      }
    },
    isSubscribed: (connection, key) => connection.subscriptions.has(key) || prefixes.isMember(connection.id, key),
    hasSubscribers: (key) => keys.has(key) || prefixes.above(key).length > 0,
    cursorsBelow: (connectionId, prefix) => [...(cursors.get(connectionId) ?? [])].filter((key) => key.startsWith(prefix)),
  }
}
