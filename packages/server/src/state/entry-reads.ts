import { RealtimeError, type Entry, type EntryPage } from '@tutti/protocol'
import type { StateStore, StoredEntry } from '@tutti/storage-driver/contract'
import type { Expiry } from './expiry.ts'

/** Reads of the store as the server uses them: entries are as clients receive them, and the ends of their lifetimes are noted. */
export interface EntryReads {
  read(keys: readonly string[]): Promise<Entry[]>
  readChanged(known: ReadonlyMap<string, number>): Promise<Entry[]>
  list(prefix: string, after?: string): Promise<EntryPage>
}

/** The error for a key of which the store returned nothing, not even that it is absent. */
export const noEntry = (key: string): RealtimeError => new RealtimeError('INTERNAL', { message: `The store returned no entry for ${key}.` })

/** Makes the reads of one server. */
export function createEntryReads(store: Pick<StateStore, 'read' | 'readChanged' | 'list'>, expiry: Pick<Expiry, 'note'>): EntryReads {
  const plain = (stored: StoredEntry): Entry => {
    const { key, version } = stored
    expiry.note(key, version, stored.expiresAt)
    if (stored.expiresAt === undefined) return stored
    const { expiresAt: _expiresAt, ...entry } = stored
    return entry
  }
  return {
    read: async (keys) => (await store.read(keys)).map(plain),
    readChanged: async (known) => (await store.readChanged(known)).map(plain),
    list: async (prefix, after) => {
      const page = await store.list(prefix, after)
      return { ...page, entries: page.entries.map(plain) }
    },
  }
}
