import { listingEntry, type Entry, type EntryPage } from '@tutti/protocol'

/** Reads the newest entries of keys, in any order: `(keys) => store.read(keys)`. */
export type ReadEntries = (keys: readonly string[]) => Promise<readonly Entry[]>

/** Reads a page of the entries below a prefix, in the order of their keys: `(prefix, after) => store.list(prefix, after)`. */
export type ListEntries = (prefix: string, after?: string) => Promise<EntryPage>

/** What reads for a page. */
export interface PageReader {
  read?: ReadEntries
  list?: ListEntries | undefined
}

/** The entries that one page shows. */
export interface PageEntries {
  get(key: string): Entry | undefined
  /** Reads a key once, together with the others that are wanted in the same turn. */
  load(key: string): Promise<void>
  /** Reads the entries below a prefix once, up to so many, and then says that they were listed. */
  loadBelow(prefix: string, limit: number): Promise<void>
  all(): Entry[]
}

/** Makes the entries of a page, with those that are known. */
export function createPageEntries(known: readonly Entry[] = [], { read, list }: PageReader = {}): PageEntries {
  const entries = new Map(known.map((entry) => [entry.key, entry]))
  const loads = new Map<string, Promise<void>>()
  let wanted: string[] = []
  let turn = Promise.resolve()

  const readWanted = async (): Promise<void> => {
    const keys = wanted
    wanted = []
    if (read) keep(await read(keys))
  }

  /** What is shown already stays, so that one page never shows two versions of a key. */
  const keep = (found: readonly Entry[]): void => {
    for (const entry of found) if (!entries.has(entry.key)) entries.set(entry.key, entry)
  }

  const listBelow = async (prefix: string, limit: number): Promise<void> => {
    if (!list) return
    let after: string | undefined
    let count = 0
    do {
      const page = await list(prefix, after)
      keep(page.entries)
      count += page.entries.length
      after = page.after
    } while (after !== undefined && count < limit)
    keep([listingEntry(prefix, after)])
  }

  return {
    get: (key) => entries.get(key),
    load: (key) => {
      const load = loads.get(key)
      if (load) return load
      if (wanted.length === 0) turn = Promise.resolve().then(readWanted)
      wanted.push(key)
      loads.set(key, turn)
      return turn
    },
    loadBelow: (prefix, limit) => {
      const load = loads.get(prefix) ?? listBelow(prefix, limit)
      loads.set(prefix, load)
      return load
    },
    all: () => [...entries.values()],
  }
}
