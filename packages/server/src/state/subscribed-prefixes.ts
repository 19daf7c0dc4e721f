import { compareKeys, prefixesOf } from '@tutti/protocol'
import type { Connection } from '../connection/connection.ts'
import { keyRoom, prefixRoom } from '../connection/subscription-rooms.ts'

/** A prefix that somebody here watches. */
export interface SubscribedPrefix {
  /** The room of its members that have a page. */
  readonly room: string
  /** Who watches it, by the ids of their connections: the keys of which something is held for one, or which leave one out. */
  readonly members: Map<string, Set<string>>
  /** Of these, by id, those who may read some keys only: each is asked for (X2). */
  readonly asked: Map<string, Connection>
  /** Those who asked for a page and have no reply yet. */
  readonly joining: Set<string>
  /** The keys below it that are known here. */
  readonly keys: Set<string>
  /** The last key of the pages that were read, '' for none. Of what is beyond it nobody here was told, but for live changes. */
  listedTo: string
  /** All pages were read. */
  listedAll: boolean
}

const NONE: readonly SubscribedPrefix[] = []

/** Which prefixes are watched here, and by whom. A change costs one look for each `:` of its key, and none where nobody watches any. */
export class SubscribedPrefixes {
  private readonly prefixes = new Map<string, SubscribedPrefix>()

  get names(): string[] {
    return [...this.prefixes.keys()]
  }

  get(prefix: string): SubscribedPrefix | undefined {
    return this.prefixes.get(prefix)
  }

  /** Those that a key is below. */
  of(key: string): readonly SubscribedPrefix[] {
    return this.prefixes.size === 0 ? NONE : prefixesOf(key).flatMap((prefix) => this.prefixes.get(prefix) ?? [])
  }

  /** The rooms of those who are told of all that the key is below. */
  roomsOf(key: string): string[] {
    return this.of(key).map(({ room }) => room)
  }

  /** Tells whether a connection watches what the key is below. */
  isMember(connectionId: string, key: string): boolean {
    return this.of(key).some(({ members }) => members.has(connectionId))
  }

  /** Tells whether it watches the key by a prefix that it may read all of. */
  isToldAll(connectionId: string, key: string): boolean {
    return this.of(key).some(({ members, asked }) => members.has(connectionId) && !asked.has(connectionId))
  }

  /** Those for whom the key is asked for, but for those who are told of it anyway. */
  askedOf(key: string): Connection[] {
    const asked = new Set(this.of(key).flatMap((prefix) => [...prefix.asked.values()]))
    return [...asked].filter(({ id, subscriptions }) => !subscriptions.has(keyRoom(key)) && !this.isToldAll(id, key))
  }

  /** Tells whether it asked for a page that may hold the key. */
  isJoining(connectionId: string, key: string): boolean {
    return this.of(key).some(({ joining }) => joining.has(connectionId))
  }

  /** Who asked for a page that may hold the key. What happens to it from now on is held for them. */
  joining(key: string): string[] {
    const ids = this.of(key).flatMap(({ joining }) => [...joining])
    for (const id of ids) this.noteHeld(id, key, true)
    return ids
  }

  /** Something of the key is held for a member, or nothing any more. */
  noteHeld(connectionId: string, key: string, isHeld: boolean): void {
    for (const { members } of this.of(key)) {
      if (isHeld) members.get(connectionId)?.add(key)
      else members.get(connectionId)?.delete(key)
    }
  }

  /** The connection asks for a page. */
  join(prefix: string, connectionId: string): void {
    const existing = this.prefixes.get(prefix)
    const subscribed = existing ?? {
      room: prefixRoom(prefix),
      members: new Map(),
      asked: new Map(),
      joining: new Set(),
      keys: new Set(),
      listedTo: '',
      listedAll: false,
    }
    this.prefixes.set(prefix, subscribed)
    if (!subscribed.members.has(connectionId)) subscribed.members.set(connectionId, new Set())
    subscribed.joining.add(connectionId)
  }

  /** It has its page. */
  settle(prefix: string, connectionId: string): void {
    this.prefixes.get(prefix)?.joining.delete(connectionId)
  }

  /** The connection watches it no more. Gives back the keys that need a look: those held for it, and all if nobody is left. */
  leave(prefix: string, connectionId: string): { held: Iterable<string>; forgotten: Iterable<string> } {
    const subscribed = this.prefixes.get(prefix)
    if (subscribed === undefined) return { held: [], forgotten: [] }
    const held = subscribed.members.get(connectionId) ?? []
    subscribed.members.delete(connectionId)
    subscribed.asked.delete(connectionId)
    subscribed.joining.delete(connectionId)
    if (subscribed.members.size > 0) return { held, forgotten: [] }
    this.prefixes.delete(prefix)
    return { held, forgotten: subscribed.keys }
  }
}

/** Tells whether the page was read that holds the key, if there is one. */
export const wasListed = ({ listedAll, listedTo }: SubscribedPrefix, key: string): boolean => listedAll || compareKeys(key, listedTo) <= 0
