import { applyPatch, type JsonValue } from '@tutti/protocol'
import type { StateChange } from '../contract.ts'

/** The newest known value of a key; `undefined` is absent. */
export interface PatchBase {
  version: number
  value: JsonValue | undefined
}

/**
 * The newest known entries of the keys that this instance patches, so that a patch need not read its base first. An old one
 * does no harm: the script checks the version. Bounded by count, since each value is small.
 */
export interface PatchBaseCache {
  get(key: string): PatchBase | undefined
  set(key: string, entry: PatchBase): void
  /** Applies a change of a key that is cached. */
  follow(change: StateChange): void
}

/** Makes the cache; the least recently written entries are dropped first. */
export function createPatchBaseCache(maxEntries = 1_000): PatchBaseCache {
  const entries = new Map<string, PatchBase>()
  const set = (key: string, entry: PatchBase): void => {
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
