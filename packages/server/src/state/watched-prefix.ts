import type { Entry, EntryPage } from '@tutti/protocol'
import { isAbsent } from '@tutti/protocol/internal'
import type { StateChange } from '@tutti/storage-driver/contract'
import { isTransient } from './transient-error.ts'
import { createWatchedEntry, RETRY_MS, type WatchedEntry } from './watched-entry.ts'

/** The entries below a prefix for server code that watches them. */
export interface WatchedPrefix {
  /** Lists the entries, and passes on where they differ from what was passed. */
  refresh(): Promise<void>
  /** Applies a change of an entry below the prefix. */
  apply(change: StateChange): void
  /** Passes on nothing more. */
  close(): void
}

/** What it reads, and what it calls. */
export interface WatchedPrefixOptions {
  list(after?: string): Promise<EntryPage>
  read(key: string): Promise<Entry>
  /** Receives each new entry. */
  listener(entry: Entry): void
  /** Receives what reads and the listener throw. `key`: absent for a listing. */
  onError(error: unknown, key?: string): void
}

/** Keeps the entries below a prefix up to date: each as `createWatchedEntry` does, and listed at the beginning and after a gap. */
export function createWatchedPrefix({ list, read, listener, onError }: WatchedPrefixOptions): WatchedPrefix {
  const entries = new Map<string, WatchedEntry>()
  /** The versions of removals that arrived as changes. None of an older version follows, so these entries can be forgotten. */
  const removed = new Map<string, number>()
  let isListing = false
  let isOutdated = false
  let isClosed = false
  let retry: NodeJS.Timeout | undefined

  const entryOf = (key: string): WatchedEntry => {
    const existing = entries.get(key)
    if (existing !== undefined) return existing
    const entry = createWatchedEntry(
      key,
      () => read(key),
      (next) => (isClosed ? undefined : listener(next)),
      (error) => onError(error, key),
    )
    entries.set(key, entry)
    return entry
  }
  const forgetRemoved = (): void => {
    // A page of the listing that runs may contain an entry that was removed since.
    if (isListing) return
    for (const [key, version] of removed) {
      if (entries.get(key)?.current?.version !== version) continue
      entries.delete(key)
      removed.delete(key)
    }
  }

  const readAll = async (): Promise<void> => {
    const listed = new Set<string>()
    let after: string | undefined
    do {
      const page = await list(after)
      if (isClosed) return
      for (const entry of page.entries) {
        listed.add(entry.key)
        entryOf(entry.key).take(entry)
      }
      after = page.after
    } while (after !== undefined)
    const unlisted = [...entries].filter(([key, { current }]) => !listed.has(key) && !(current && isAbsent(current)))
    await Promise.all(unlisted.map(([, entry]) => entry.refresh()))
  }

  const refresh = async (): Promise<void> => {
    isOutdated = true
    if (isListing) return
    isListing = true
    while (isOutdated && !isClosed) {
      isOutdated = false
      await readAll().catch((error: unknown) => {
        onError(error)
        clearTimeout(retry)
        if (isTransient(error) && !isClosed) retry = setTimeout(() => void refresh(), RETRY_MS).unref()
      })
    }
    isListing = false
    forgetRemoved()
  }

  return {
    refresh,
    apply: (change) => {
      if (change.removed === true) removed.set(change.key, change.version)
      else removed.delete(change.key)
      entryOf(change.key).apply(change)
      forgetRemoved()
    },
    close: () => {
      isClosed = true
      clearTimeout(retry)
      for (const entry of entries.values()) entry.close()
      entries.clear()
      removed.clear()
    },
  }
}
