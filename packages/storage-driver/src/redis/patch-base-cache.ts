import type { StateChange } from '../contract.ts'
import { createPatchableValue, patchedValue, type PatchableValue } from './patchable-value.ts'

/** The newest known value of a key; `undefined` is absent. */
export interface PatchBase {
  version: number
  value: PatchableValue | undefined
}

/**
 * The newest known entries of the keys that this instance patches, so that a patch need not read its base first. An outdated
 * entry is harmless: the script checks the version. Bounded by the size of the values as JSON.
 */
export interface PatchBaseCache {
  get(key: string): PatchBase | undefined
  set(key: string, entry: PatchBase): void
  /** Applies a change of a key that is cached. */
  follow(change: StateChange): void
}

interface CachedBase extends PatchBase {
  readonly size: number
}

/** Characters counted for each entry in addition to its value. */
const ENTRY_SIZE = 200

/** Creates the cache; the least recently written entries are dropped first. `maxSize`: characters of all entries. */
export function createPatchBaseCache(maxSize = 16_000_000): PatchBaseCache {
  const entries = new Map<string, CachedBase>()
  let total = 0

  const remove = (key: string): void => {
    const entry = entries.get(key)
    if (entry === undefined) return
    total -= entry.size
    entries.delete(key)
  }

  const set = (key: string, { version, value }: PatchBase): void => {
    remove(key)
    const size = (value?.size ?? 0) + ENTRY_SIZE
    entries.set(key, { version, value, size })
    total += size
    for (const oldest of entries.keys()) {
      if (total <= maxSize) return
      remove(oldest)
    }
  }

  return {
    get: (key) => entries.get(key),
    set,
    follow: ({ key, version, removed, value, valueJson, base, patch }) => {
      const cached = entries.get(key)
      if (cached === undefined || version <= cached.version) return
      if (removed === true) set(key, { version, value: undefined })
      else if (value !== undefined) set(key, { version, value: createPatchableValue(value, valueJson) })
      else if (patch !== undefined && base === cached.version) set(key, { version, value: patchedValue(cached.value, patch) })
      else remove(key)
    },
  }
}
