/// <reference lib="dom" />
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { KeptChange } from './kept-change.ts'

interface Tables extends DBSchema {
  /** By client and key. */
  changes: { key: [string, string]; value: KeptChange[] }
}

/** Kept changes in IndexedDB, by client and key. */
export interface KeptStore {
  put(client: string, key: string, changes: KeptChange[]): Promise<void>
  /** The clients that have changes. */
  clients(): Promise<string[]>
  /** Makes the changes of one client those of another, behind what it has, and gives them, all or none. */
  move(from: string, to: string): Promise<[key: string, changes: KeptChange[]][]>
}

/** Opens the database of this name. */
export async function openKeptStore(name: string): Promise<KeptStore> {
  const database: IDBPDatabase<Tables> = await openDB<Tables>(name, 1, {
    upgrade: (opened) => void opened.createObjectStore('changes'),
    // A page of a newer version must not wait for this one.
    blocking: () => database.close(),
  })
  return {
    put: async (client, key, changes) => {
      if (changes.length === 0) await database.delete('changes', [client, key])
      else await database.put('changes', changes, [client, key])
    },
    clients: async () => [...new Set((await database.getAllKeys('changes')).map(([client]) => client))],
    move: async (from, to) => {
      const transaction = database.transaction('changes', 'readwrite')
      const { store } = transaction
      const moved: [string, KeptChange[]][] = []
      // Arrays sort behind all strings.
      for (const [client, key] of await store.getAllKeys(IDBKeyRange.bound([from], [from, []]))) {
        const changes = (await store.get([client, key])) ?? []
        const before = (await store.get([to, key])) ?? []
        await store.put([...before, ...changes], [to, key])
        await store.delete([client, key])
        moved.push([key, changes])
      }
      await transaction.done
      return moved
    },
  }
}
