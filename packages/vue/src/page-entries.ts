import type { Entry } from '@tutti/protocol'

/** Reads the newest entries of keys, in any order: `(keys) => store.read(keys)`. */
export type ReadEntries = (keys: readonly string[]) => Promise<readonly Entry[]>

/** The entries that one page shows. */
export interface PageEntries {
  get(key: string): Entry | undefined
  /** Reads a key once, together with the others that are wanted in the same turn: one page never shows two versions of it. */
  load(key: string): Promise<void>
  all(): Entry[]
}

/** Makes the entries of a page, with those that are known. */
export function createPageEntries(known: readonly Entry[] = [], read: ReadEntries = async () => []): PageEntries {
  const entries = new Map(known.map((entry) => [entry.key, entry]))
  const loads = new Map<string, Promise<void>>()
  let wanted: string[] = []
  let turn = Promise.resolve()

  const readWanted = async (): Promise<void> => {
    const keys = wanted
    wanted = []
    for (const entry of await read(keys)) entries.set(entry.key, entry)
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
    all: () => [...entries.values()],
  }
}
