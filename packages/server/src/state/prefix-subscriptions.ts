import { compareKeys, prefixesOf } from '@tutti/protocol/internal'
import type { Connection } from '../connection/connection.ts'
import { prefixRoom } from '../connection/subscription-names.ts'

/** A prefix that has subscribers here. */
export interface PrefixSubscription {
  /** The room of the members that have a page and may read all keys. */
  readonly room: string
  /** Ids of the connections that subscribed to it. */
  readonly members: Set<string>
  /** Of these, by id, those that may read some keys only: each key is authorized (X2). */
  readonly perKey: Map<string, Connection>
  /** Those that requested a page and have no reply yet. */
  readonly joining: Set<string>
  /** The keys below it that are known here. */
  readonly keys: Set<string>
  /** The last key of the pages that were read, '' for none. Of keys beyond it only live changes were sent. */
  listedTo: string
  /** All pages were read. */
  listedAll: boolean
}

const NONE: readonly PrefixSubscription[] = []
const NOBODY: readonly string[] = []

/** The prefixes that have subscribers here. A change costs one lookup for each `:` of its key, and none where there is no prefix. */
export class PrefixSubscriptions {
  private readonly prefixes = new Map<string, PrefixSubscription>()

  get names(): string[] {
    return [...this.prefixes.keys()]
  }

  get(prefix: string): PrefixSubscription | undefined {
    return this.prefixes.get(prefix)
  }

  /** The prefixes that a key is below. */
  above(key: string): readonly PrefixSubscription[] {
    return this.prefixes.size === 0 ? NONE : prefixesOf(key).flatMap((prefix) => this.prefixes.get(prefix) ?? [])
  }

  /** Whether the connection subscribed to a prefix above the key. */
  isMember(connectionId: string, key: string): boolean {
    return this.above(key).some(({ members }) => members.has(connectionId))
  }

  /** Whether it subscribed to the key by a prefix of which it may read all keys. */
  mayReadAll(connectionId: string, key: string): boolean {
    return this.above(key).some(({ members, perKey }) => members.has(connectionId) && !perKey.has(connectionId))
  }

  /** The connections for which the key must be authorized, without those that receive it anyway. */
  perKeyMembers(key: string): Connection[] {
    const members = new Set(this.above(key).flatMap(({ perKey }) => [...perKey.values()]))
    return [...members].filter(({ id, subscriptions }) => !subscriptions.has(key) && !this.mayReadAll(id, key))
  }

  /** The connections that requested a page which may contain the key. */
  joining(key: string): readonly string[] {
    return this.prefixes.size === 0 ? NOBODY : this.above(key).flatMap(({ joining }) => [...joining])
  }

  /** The connection requests a page. */
  join(prefix: string, connectionId: string): void {
    const existing = this.prefixes.get(prefix)
    const subscription = existing ?? {
      room: prefixRoom(prefix),
      ...{ members: new Set(), perKey: new Map(), joining: new Set(), keys: new Set(), listedTo: '', listedAll: false },
    }
    if (existing === undefined) this.prefixes.set(prefix, subscription)
    subscription.members.add(connectionId)
    subscription.joining.add(connectionId)
  }

  /** The connection has its page. */
  endJoin(prefix: string, connectionId: string): void {
    this.prefixes.get(prefix)?.joining.delete(connectionId)
  }

  /** The connection leaves. Returns the keys that were known below the prefix, if it was the last member. */
  leave(prefix: string, connectionId: string): Iterable<string> {
    const subscription = this.prefixes.get(prefix)
    if (subscription === undefined) return []
    subscription.members.delete(connectionId)
    subscription.perKey.delete(connectionId)
    subscription.joining.delete(connectionId)
    if (subscription.members.size > 0) return []
    this.prefixes.delete(prefix)
    return subscription.keys
  }
}

/** Whether the page that contains the key, if it exists, was read. */
export const wasListed = ({ listedAll, listedTo }: PrefixSubscription, key: string): boolean => listedAll || compareKeys(key, listedTo) <= 0
