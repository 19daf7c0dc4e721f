import { isKey, type Entry, type StateUpdate } from '@tutti/protocol'
import { compareKeys, listingEnd, neverThere } from '@tutti/protocol/internal'
import type { CollectionItem } from './collection-contract.ts'
import type { KeyRecord, KeyUser } from '../state/key-record.ts'
import { unknownKey, type KeyState, type PendingChange } from '../state/key-state.ts'
import type { KeyRegistry } from '../state/key-registry.ts'

/** Dependencies of the records. */
export interface CollectionRecordsOptions {
  keys: KeyRegistry
  prefix: string
  /** Disposes of the collection. */
  dispose: () => void
  /** The items to show have changed. */
  onChange: () => void
}

/** The records of a collection's entries, shared with the handles of the same keys (S15). */
export interface CollectionRecords {
  /** In the order of their keys; the same array until an item differs. */
  items(): readonly CollectionItem<unknown>[]
  isPending(): boolean
  /** The known state of each key, in key order. */
  states(): [string, KeyState][]
  /** The last key that a server listed into the page (S22): '' for nothing, `undefined` for all. */
  readonly listedTo: string | undefined
  /**
   * Shows the entries that the client already has: listed entries and pending changes. Must be called after `isLoaded` is set.
   */
  start(): void
  /** Whether entries that others create at the key belong to the loaded part. */
  isLoaded: (key: string) => boolean
  /** Applies the entries of a reply to a request that was sent in these states, by key. */
  take(entries: Iterable<Entry>, before: ReadonlyMap<string, KeyState>): void
  /** Applies an update of a key below the prefix. */
  receive(update: StateUpdate): void
  /** Throws `OVERFLOW`. */
  change(key: string, change: PendingChange): void
  /** Drops entries beyond the loaded part, unless they have pending changes. */
  trim(): void
  dispose(): void
}

/** Creates the records of one collection; it contains only shown or pending entries. */
export function createCollectionRecords({ keys, prefix, dispose, onChange }: CollectionRecordsOptions): CollectionRecords {
  const records = new Map<string, KeyRecord>()
  const shown = new Map<string, CollectionItem<unknown>>()
  const pending = new Set<string>()
  let items: readonly CollectionItem<unknown>[] | undefined
  /** `onChange` is not called while many entries are applied. */
  let quiet = false
  let disposed = false
  // The subscription of the prefix delivers the entries, so the keys need no subscription.
  const user: KeyUser = { isFed: true, changed: () => {}, dispose }

  /** Retains the listing while a collection shows it, and no longer than the entries. */
  const listing = keys.use(prefix, user)

  const adopt = (key: string): KeyRecord => {
    const record = records.get(key) ?? keys.use(key, user)
    records.set(key, record)
    return record
  }

  const forget = (record: KeyRecord): void => {
    if (!records.delete(record.key)) return
    if (shown.delete(record.key)) items = undefined
    pending.delete(record.key)
    keys.leave(record, user)
  }

  const snapshot = (record: KeyRecord): void => {
    const { key, state, shown: value } = record
    if (disposed || !key.startsWith(prefix)) return
    const isPending = state.pending.length > 0
    if (!records.has(key) && !isPending && (value === undefined || !result.isLoaded(key))) return
    if (value === undefined && !isPending && state.wanted === 0) forget(record)
    else {
      adopt(key)
      if (isPending) pending.add(key)
      else pending.delete(key)
      const before = shown.get(key)
      const version = state.confirmed?.version
      if (value === undefined) {
        if (shown.delete(key)) items = undefined
      } else if (!before || before.version !== version || before.pending !== isPending || before.value !== value) {
        shown.set(key, { key, value, version, pending: isPending })
        items = undefined
      }
    }
    if (!quiet) onChange()
  }
  const unwatch = keys.watch(snapshot)

  const together = (run: () => void): void => {
    quiet = true
    run()
    quiet = false
    onChange()
  }

  const result: CollectionRecords = {
    items: () => (items ??= [...shown.values()].toSorted(byKey)),
    isPending: () => pending.size > 0,
    states: () => [...records.values()].toSorted(byKey).map(({ key, state }) => [key, state]),
    listedTo: listingEnd(listing.state.confirmed),
    start: () => {
      quiet = true
      for (const record of keys.known()) if (isKey(record.key)) snapshot(record)
      quiet = false
    },
    isLoaded: () => false,
    take: (entries, before) =>
      together(() => {
        for (const entry of entries) {
          if ('removed' in entry && !records.has(entry.key)) continue
          const record = adopt(entry.key)
          keys.take(record, before.get(entry.key) ?? unknownKey(entry.key), entry)
          snapshot(record)
        }
      }),
    receive: (update) => {
      if (records.has(update.key) || 'removed' in update || !result.isLoaded(update.key)) return
      keys.receive(adopt(update.key), update)
    },
    change: (key, change) => {
      const record = adopt(key)
      try {
        keys.add(record, change)
        // A loaded part includes every stored entry, so an update need not wait for it.
        if (!record.state.confirmed && result.isLoaded(key)) keys.take(record, record.state, neverThere(key))
      } finally {
        snapshot(record)
      }
    },
    trim: () =>
      together(() => {
        for (const record of records.values()) if (!result.isLoaded(record.key) && record.state.pending.length === 0) forget(record)
      }),
    dispose: () => {
      disposed = true
      unwatch()
      for (const record of records.values()) forget(record)
      keys.leave(listing, user)
    },
  }
  return result
}

const byKey = (a: { key: string }, b: { key: string }): number => compareKeys(a.key, b.key)
