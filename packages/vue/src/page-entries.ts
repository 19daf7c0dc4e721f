import type { Entry, EntryPage, RealtimeError } from '@tutti/protocol'
import { listingEntry } from '@tutti/protocol'
import { refusalEntry, refusalIn, refusalKey } from './refusal-entry.ts'

/**
 * Reads the newest entries of keys, in any order: `read` of `realtime.as(user).state`. If it refuses for good (a
 * `RealtimeError` that is not retryable), each key is read alone, and the page shows the errors of the refused ones.
 */
export type ReadEntries = (keys: readonly string[]) => Promise<readonly Entry[]>

/**
 * Reads a page of the entries below a prefix, in the order of their keys: `list` of `realtime.as(user).state`. With undefined the
 * page shows the collection as loading.
 */
export type ListEntries = (prefix: string, after?: string) => Promise<EntryPage | undefined>

/** The functions that read for a page. */
export interface PageReader {
  read?: ReadEntries | undefined
  list?: ListEntries | undefined
}

/** The entries that one page shows. */
export interface PageEntries {
  get(key: string): Entry | undefined
  /** Why the key or prefix cannot be read. */
  refusal(name: string): RealtimeError | undefined
  /** Reads a key once, together with others requested in the same turn. */
  load(key: string): Promise<void>
  /** Reads the entries below a prefix once, up to a limit, and then marks them as listed. */
  loadBelow(prefix: string, limit: number): Promise<void>
  all(): Entry[]
}

/** Creates the entries of a page, with the known ones. */
export function createPageEntries(known: readonly Entry[] = [], { read, list }: PageReader = {}): PageEntries {
  const entries = new Map(known.map((entry) => [entry.key, entry]))
  const loads = new Map<string, Promise<void>>()
  let wanted: string[] = []
  let turn = Promise.resolve()

  const readWanted = async (): Promise<void> => {
    const keys = wanted
    wanted = []
    if (read) await readAll(read, keys)
  }

  const readAll = async (from: ReadEntries, keys: readonly string[]): Promise<void> => {
    const [only = ''] = keys
    try {
      keep(await from(keys))
    } catch (error) {
      const refused = refusalEntry(only, error)
      if (!refused) throw error
      // One refused key must not prevent the others from being shown.
      if (keys.length === 1) keep([refused])
      else await Promise.all(keys.map((key) => readAll(from, [key])))
    }
  }

  /** Shown entries are kept, so that one page never shows two versions of a key. */
  const keep = (found: readonly Entry[]): void => {
    for (const entry of found) if (!entries.has(entry.key)) entries.set(entry.key, entry)
  }

  const listBelow = async (prefix: string, limit: number): Promise<void> => {
    if (!list) return
    const found: Entry[] = []
    let after: string | undefined
    try {
      do {
        const page = await list(prefix, after)
        if (page === undefined) return
        found.push(...page.entries)
        after = page.after
      } while (after !== undefined && found.length < limit)
    } catch (error) {
      // Entries listed before the right ended are not part of the page.
      const refused = refusalEntry(prefix, error)
      if (!refused) throw error
      return keep([refused])
    }
    keep([...found, listingEntry(prefix, after)])
  }

  return {
    get: (key) => entries.get(key),
    refusal: (name) => refusalIn(entries.get(refusalKey(name))),
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
