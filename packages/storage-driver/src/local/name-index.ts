import { isKey, parseKey, parsePrefix } from '@tutti/protocol'

/** The keys that have a value, listed from the driver once and then kept by the writes. It may name too much, never too little. */
export interface NameIndex {
  /** A page of the keys below a prefix, in byte order. */
  page(prefix: string, after: string | undefined, size: number): Promise<string[]>
  note(key: string, hasValue: boolean): void
  /** Lists the driver again. */
  reload(): Promise<void>
}

/** Makes the index over whatever names all keys of the driver. */
export function createNameIndex(allKeys: () => Promise<string[]>): NameIndex {
  let names: Set<string> | undefined
  let loading: Promise<Set<string>> | undefined

  const load = async (): Promise<Set<string>> => {
    // Made before the driver is asked, so that what is written meanwhile is in it.
    const into = (names ??= new Set())
    for (const key of await allKeys()) if (isKey(key)) into.add(key)
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
      const found = [...(await loadOnce())].filter((key) => key.startsWith(prefix) && (after === undefined || byBytes(key, after) > 0))
      return found.toSorted(byBytes).slice(0, size)
    },
    note: (key, hasValue) => {
      if (hasValue) names?.add(key)
      else names?.delete(key)
    },
    reload: async () => {
      await loading?.catch(() => {})
      loading = undefined
      await loadOnce()
    },
  }
}

/** Order of UTF-8 bytes, as Redis' index has it; that of UTF-16 units differs beyond the basic plane. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
