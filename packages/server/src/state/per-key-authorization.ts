import { RealtimeError, type EntryPage, type StateUpdate } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import type { Verdict } from '../authorization/authorization-cache.ts'
import type { Connection } from '../connection/connection.ts'
import type { Core } from '../feature.ts'
import { keyRoom, prefixRoom } from '../connection/subscription-rooms.ts'
import { readingOf } from './reads-of.ts'
import { readablePage, type ReadablePageSource } from './readable-page.ts'
import type { SubscribedKey } from './subscribed-key.ts'
import type { SubscribedPrefixes } from './subscribed-prefixes.ts'

/** Keys that are asked for at once. */
const AT_ONCE = 100

/** Before an answer that could not be given is asked for again, milliseconds. */
const RETRY_MS = 500

/** The keys, as their readers need them. */
export interface KeysToTell {
  open(key: string): SubscribedKey
  find(key: string): SubscribedKey | undefined
  /** Forgets the key if nobody watches it, or if it is gone. */
  collect(key: string): void
  /** Tells the connection what it may know. */
  tell(connection: Connection, changes: readonly StateChange[]): void
}

/**
 * Members of prefixes who may read some of the keys below only. They stay out of the prefix's room, and each key is asked
 * for before anything of it is told to them (X2). While an answer is awaited, what happens to the key is held for them,
 * as for those who wait for a reply.
 */
export class KeyReaders {
  private readonly core: Core
  private readonly prefixes: SubscribedPrefixes
  private readonly keys: KeysToTell

  constructor(core: Core, prefixes: SubscribedPrefixes, keys: KeysToTell) {
    this.core = core
    this.prefixes = prefixes
    this.keys = keys
  }

  /** The answer about a prefix that the connection watches: all of it, or each key. */
  apply(connection: Connection, prefix: string, verdict: Verdict): void {
    const subscribed = this.prefixes.get(prefix)
    if (subscribed === undefined || !connection.subscriptions.has(prefixRoom(prefix))) return
    if ('allow' in verdict && verdict.allow === true) {
      subscribed.asked.delete(connection.id)
      if (!subscribed.joining.has(connection.id)) connection.join(subscribed.room)
    } else {
      subscribed.asked.set(connection.id, connection)
      connection.leave(subscribed.room)
    }
  }

  /** Of those who are asked about, the ids of those who may be told now. For those whose answer is awaited it is held. */
  allowedNow(update: StateUpdate, except: readonly string[]): string[] {
    const asked = this.prefixes.askedOf(update.key).filter((connection) => !except.includes(connection.id))
    return asked.filter((connection) => this.mayBeTold(connection, update.key, [update])).map(({ id }) => id)
  }

  /** Tells whether the connection may be told these changes of the key. While the answer is awaited they are held for it. */
  mayBeTold(connection: Connection, key: string, changes: readonly StateChange[]): boolean {
    const may = this.mayRead(connection, key)
    if (may === undefined) void this.hold(connection, key, changes)
    return may === true
  }

  /** Tells whether the connection may be told of the key now; undefined: that is not known yet. */
  mayRead(connection: Connection, key: string): boolean | undefined {
    if (this.hears(connection, key)) return true
    if (!this.prefixes.isMember(connection.id, key)) return false
    const verdict = this.core.access.decide(connection, readingOf(key))
    if (verdict instanceof Promise || mayChange(verdict)) return undefined
    this.report(verdict, key)
    return isYes(verdict)
  }

  /**
   * A page of what a member of the prefix may read: of all keys, or of those that it may read one by one. `isCurrent` tells
   * whether no rights were taken away since: else it is another page.
   */
  async page(
    connection: Connection,
    prefix: string,
    list: ReadablePageSource['list'],
    after: string | undefined,
  ): Promise<{ page: EntryPage; isCurrent: () => boolean }> {
    const { maxPayloadBytes: maxBytes } = this.core.limits
    const isAsked = this.isAsked(connection, prefix)
    const given: Verdict[] = []
    const mayRead = (key: string): Promise<boolean | undefined> => this.answer(connection, key, given)
    const page = await (isAsked ? readablePage({ list, mayRead, maxBytes }, after) : list(after))
    const isCurrent = (): boolean =>
      isAsked === this.isAsked(connection, prefix) && given.every((verdict) => this.core.access.isCurrent(connection, verdict))
    return { page, isCurrent }
  }

  /** Asks for all of these keys, so that the answers that are remembered are known at once. */
  async ask(connection: Connection, prefix: string, keys: readonly string[]): Promise<void> {
    if (!this.isAsked(connection, prefix)) return
    for (let start = 0; start < keys.length; start += AT_ONCE) {
      await Promise.all(keys.slice(start, start + AT_ONCE).map(async (key) => this.core.access.decide(connection, readingOf(key))))
    }
  }

  /** Tells whether the connection may read the key, once that is known; undefined: `authorize` could not say. */
  private async answer(connection: Connection, key: string, given: Verdict[]): Promise<boolean | undefined> {
    if (this.hears(connection, key)) return true
    const verdict = await this.core.access.decide(connection, readingOf(key))
    this.report(verdict, key)
    given.push(verdict)
    return isYes(verdict) || (mayChange(verdict) ? undefined : false)
  }

  private isAsked({ id }: Connection, prefix: string): boolean {
    return this.prefixes.get(prefix)?.asked.has(id) === true
  }

  /** It is told of the key whatever is said of single keys. */
  private hears(connection: Connection, key: string): boolean {
    return connection.subscriptions.has(keyRoom(key)) || this.prefixes.isToldAll(connection.id, key)
  }

  private async hold(connection: Connection, key: string, changes: readonly StateChange[]): Promise<void> {
    const { id } = connection
    const endHold = this.keys.open(key).beginAsk(id, changes)
    this.prefixes.noteHeld(id, key, true)
    let verdict = await this.core.access.decide(connection, readingOf(key))
    while (connection.connected && (mayChange(verdict) || !this.core.access.isCurrent(connection, verdict))) {
      if (mayChange(verdict)) await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref())
      verdict = await this.core.access.decide(connection, readingOf(key))
    }
    this.report(verdict, key)
    const held = endHold()
    // It may have left meanwhile, or have come by other means.
    if (isYes(verdict) || this.hears(connection, key)) this.keys.tell(connection, held)
    this.prefixes.noteHeld(id, key, this.keys.find(key)?.holds(id) === true)
    this.keys.collect(key)
  }

  /** A refusal by a code is the application's word; anything else is a failure that nobody else hears of. */
  private report(verdict: Verdict, key: string): void {
    if ('refusal' in verdict && !(verdict.refusal instanceof RealtimeError))
      this.core.onError(verdict.refusal, { stage: 'authorize', subject: key })
  }
}

const isYes = (verdict: Verdict): boolean => 'allow' in verdict && verdict.allow === true

/** The application could not say. */
const mayChange = (verdict: Verdict): boolean =>
  'refusal' in verdict && verdict.refusal instanceof RealtimeError && verdict.refusal.retryable
