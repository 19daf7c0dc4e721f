import { isKey, parseKey, parsePrefix } from '@tutti/protocol'
import { compareKeys } from '@tutti/protocol/internal'

/**
 * The keys that have a value, listed from the driver once and then updated by the writes. It may contain too many keys, never
 * too few.
 */
export interface NameIndex {
  /** A page of the keys below a prefix, in byte order. */
  page(prefix: string, after: string | undefined, size: number): Promise<string[]>
  note(key: string, hasValue: boolean): void
  /** Lists the driver again. */
  reload(): Promise<void>
}

/** Creates the index. `allKeys` lists all keys of the driver. */
export function createNameIndex(allKeys: () => Promise<string[]>): NameIndex {
  let names: Set<string> | undefined
  /** The names in order; sorted again after an insertion or removal. */
  let sorted: string[] | undefined
  let loading: Promise<Set<string>> | undefined

  const load = async (): Promise<Set<string>> => {
    // Created before the driver is queried, so that concurrent writes are included.
    const into = (names ??= new Set())
    for (const key of await allKeys()) if (isKey(key)) into.add(key)
    sorted = undefined
    return into
  }

  const loadOnce = (): Promise<Set<string>> =>
    (loading ??= load().catch((error: unknown) => {
      loading = undefined
      throw error
    }))

  return {
    page: async (prefix, after, size) => {
      if (prefix !== '') parsePrefix(prefix)
      if (after !== undefined) parseKey(after)
      const all = await loadOnce()
      sorted ??= [...all].toSorted(compareKeys)
      const begin = firstWhere(sorted, (key) => (after === undefined ? compareKeys(key, prefix) >= 0 : compareKeys(key, after) > 0))
      return sorted.slice(begin, begin + size).filter((key) => key.startsWith(prefix))
    },
    note: (key, hasValue) => {
      if (names === undefined || names.has(key) === hasValue) return
      sorted = undefined
      if (hasValue) names.add(key)
      else names.delete(key)
    },
    reload: async () => {
      await loading?.catch(() => {})
      loading = undefined
      await loadOnce()
    },
  }
}

/** The position of the first name for which the condition is true; it is true for all later names. */
function firstWhere(sorted: readonly string[], holds: (name: string) => boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(sorted[middle] ?? '')) high = middle
    else low = middle + 1
  }
  return low
}
