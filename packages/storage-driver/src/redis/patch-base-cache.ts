import { applyPatch, type JsonValue } from '@tutti/protocol'
import type { StateChange } from '../contract.ts'

/** The newest known value of a key; `undefined` is absent. */
export interface PatchBase {
  version: number
  value: JsonValue | undefined
}

/**
 * The newest known entries of the keys that this instance patches, so that a patch need not read its base first. An old one
 * does no harm: the script checks the version. Bounded by the size of the values as JSON.
 */
export interface PatchBaseCache {
  get(key: string): PatchBase | undefined
  /** `size`: characters of the value as JSON. */
  set(key: string, entry: PatchBase, size: number): void
  /** Applies a change of a key that is cached. */
  follow(change: StateChange): void
}

interface CachedBase extends PatchBase {
  readonly size: number
}

/** Characters that an entry takes beside its value. */
const ENTRY_SIZE = 200

/** Makes the cache; the least recently written entries are dropped first. `maxSize`: characters of all entries. */
export function createPatchBaseCache(maxSize = 16_000_000): PatchBaseCache {
  const entries = new Map<string, CachedBase>()
  let total = 0

  const remove = (key: string): void => {
    const entry = entries.get(key)
    if (entry === undefined) return
    total -= entry.size
    entries.delete(key)
  }

  const set = (key: string, { version, value }: PatchBase, size: number): void => {
    remove(key)
    entries.set(key, { version, value, size: size + ENTRY_SIZE })
    total += size + ENTRY_SIZE
    for (const oldest of entries.keys()) {
      if (total <= maxSize) return
      remove(oldest)
    }
  }

  return {
    get: (key) => entries.get(key),
    set,
    follow: ({ key, version, removed, value, valueJson, base, patch }) => {
      const held = entries.get(key)
      if (held === undefined || version <= held.version) return
      if (removed === true) set(key, { version, value: undefined }, 0)
      else if (value !== undefined) set(key, { version, value }, (valueJson ?? JSON.stringify(value)).length)
      else if (patch !== undefined && base === held.version)
        // An upper bound: a patch may also replace or remove.
        set(key, { version, value: applyPatch(held.value, patch) }, held.size - ENTRY_SIZE + JSON.stringify(patch).length)
      else remove(key)
    },
  }
}
