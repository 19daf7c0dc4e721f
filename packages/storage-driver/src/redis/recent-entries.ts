import { applyPatch, type JsonValue } from '@tutti/protocol'
import type { StateChange } from '../contract.ts'

/** A value that was the newest when it was last heard of; `undefined` is absent. */
export interface RecentEntry {
  version: number
  value: JsonValue | undefined
}

/**
 * The newest entries of the keys that are patched here, so that a patch need not ask for its base first. A wrong one
 * does no harm: the script checks. Bounded by count, for each value is small.
 */
export interface RecentEntries {
  get(key: string): RecentEntry | undefined
  set(key: string, entry: RecentEntry): void
  /** Follows a change of a key that is held. */
  follow(change: StateChange): void
}

/** Makes the memory; the entries used longest ago are forgotten first. */
export function createRecentEntries(maxEntries = 1_000): RecentEntries {
  const entries = new Map<string, RecentEntry>()
  const set = (key: string, entry: RecentEntry): void => {
    entries.delete(key)
    entries.set(key, entry)
    if (entries.size <= maxEntries) return
    for (const oldest of entries.keys()) {
      entries.delete(oldest)
      break
    }
  }
  return {
    get: (key) => entries.get(key),
    set,
    follow: (change) => {
      const held = entries.get(change.key)
      if (held === undefined || change.version <= held.version) return
      if (change.removed === true) set(change.key, { version: change.version, value: undefined })
      else if (change.value !== undefined) set(change.key, { version: change.version, value: change.value })
      else if (change.patch !== undefined && change.base === held.version)
        set(change.key, { version: change.version, value: applyPatch(held.value, change.patch) })
      else entries.delete(change.key)
    },
  }
}
