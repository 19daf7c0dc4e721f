import { applyPatch, type Entry } from '@tutti/protocol'
import { callSafely, isAbsent, neverThere } from '@tutti/protocol/internal'
import type { StateChange } from '@tutti/storage-driver/contract'
import { isTransient } from './transient-error.ts'

/** The entry of one key for server code that watches it. */
export interface WatchedEntry {
  /** The entry as it was passed on last; `undefined` while it is read. */
  readonly current: Entry | undefined
  /** Reads the entry as it is, and passes it on where it differs; changes wait meanwhile. */
  refresh(): Promise<void>
  /** Applies a change; reads the entry where the change does not suffice. */
  apply(change: StateChange): void
  /** Takes an entry that was read for another reason: passes it on where it is newer, reads again where it is older. */
  take(read: Entry): void
  /** Reads nothing more by itself. */
  close(): void
}

/** Delay between two attempts to read while the store is unavailable, milliseconds. */
export const RETRY_MS = 500

/** Keeps an entry up to date from its changes. `listener` receives each new entry, `onError` what reads and the listener throw. */
export function createWatchedEntry(
  key: string,
  read: () => Promise<Entry>,
  listener: (entry: Entry) => void,
  onError: (error: unknown) => void,
): WatchedEntry {
  let entry: Entry = neverThere(key)
  let isReading = false
  /** A change may have been missed since the read that runs was started. */
  let isOutdated = false
  let isClosed = false
  let retry: NodeJS.Timeout | undefined
  const waiting: StateChange[] = []

  const pass = (next: Entry): void => {
    entry = next
    callSafely(() => listener(next), onError)
  }

  const nextOf = ({ version, base, patch, value, removed }: StateChange): Entry | undefined => {
    if (removed === true) return { key, version, removed }
    if (value !== undefined) return { key, version, value }
    if (patch === undefined || base !== entry.version) return undefined
    return { key, version, value: applyPatch(isAbsent(entry) ? undefined : entry.value, patch) }
  }

  const apply = (change: StateChange): void => {
    if (isReading) return void waiting.push(change)
    if (change.version <= entry.version) return
    const next = nextOf(change)
    if (next === undefined) void refresh()
    else pass(next)
  }

  const refresh = async (): Promise<void> => {
    if (isReading) {
      isOutdated = true
      return
    }
    isReading = true
    isOutdated = false
    clearTimeout(retry)
    try {
      const current = await read()
      if (current.version !== entry.version) pass(current)
    } catch (error) {
      onError(error)
      // Perhaps nothing else shows that it is behind.
      if (isTransient(error) && !isClosed) retry = setTimeout(() => void refresh(), RETRY_MS).unref()
    } finally {
      isReading = false
    }
    for (const change of waiting.splice(0)) apply(change)
    if (isOutdated && !isReading) await refresh()
  }

  const take = (read: Entry): void => {
    if (isReading) return void waiting.push(read)
    if (read.version > entry.version) pass(read)
    else if (read.version < entry.version) void refresh()
  }

  return {
    get current() {
      return isReading ? undefined : entry
    },
    refresh,
    apply,
    take,
    close: () => {
      isClosed = true
      clearTimeout(retry)
    },
  }
}
