/// <reference lib="dom" />
import { openDB, type DBSchema, type IDBPDatabase, type IDBPObjectStore } from 'idb'
import type { StoredChange } from './stored-change.ts'

interface Tables extends DBSchema {
  /** By client and key. */
  changes: { key: [string, string]; value: readonly StoredChange[] }
}

type Changes = IDBPObjectStore<Tables, ['changes'], 'changes', 'readwrite'>

/** The changes of one key. */
export type ChangeRow = readonly [key: string, changes: readonly StoredChange[]]

/** Stored changes in IndexedDB, by client and key. Every method rejects once the database is closed. */
export interface ChangeDatabase {
  /**
   * Stores the rows as they are after all earlier writes and moves, deletes rows without changes, and returns them. All or
   * none.
   */
  write(client: string, rows: () => readonly ChangeRow[]): Promise<readonly ChangeRow[]>
  /** The clients that have changes. */
  clients(): Promise<string[]>
  /** Moves the changes of one client to another, after its own, and returns them. All or none. */
  move(from: string, to: string): Promise<ChangeRow[]>
  /** Transactions that have begun still end. */
  close(): void
}

/** Opens the database of this name. `onEnd`: another page upgrades or deletes it, or the browser has closed it. */
export async function openChangeDatabase(name: string, onEnd: () => void): Promise<ChangeDatabase> {
  const database: IDBPDatabase<Tables> = await openDB<Tables>(name, 1, {
    upgrade: (opened) => void opened.createObjectStore('changes'),
    // A page of a newer version must not wait for this one.
    blocking: () => {
      database.close()
      onEnd()
    },
    terminated: onEnd,
  })

  const inTransaction = async <Result>(run: (changes: Changes) => Promise<Result>): Promise<Result> => {
    const transaction = database.transaction('changes', 'readwrite')
    return (await Promise.all([run(transaction.store), transaction.done]))[0]
  }

  return {
    write: (client, rows) =>
      inTransaction(async (store) => {
        // The reply arrives after all earlier transactions: an outdated state of a change must not be stored.
        await store.getKey([client, ''])
        const written = rows()
        await Promise.all(
          written.map(([key, changes]) => (changes.length > 0 ? store.put(changes, [client, key]) : store.delete([client, key]))),
        )
        return written
      }),
    clients: async () => [...new Set((await database.getAllKeys('changes')).map(([client]) => client))],
    move: (from, to) =>
      inTransaction(async (store) => {
        const moved: ChangeRow[] = []
        // Arrays sort behind all strings.
        for (const [client, key] of await store.getAllKeys(IDBKeyRange.bound([from], [from, []]))) {
          const changes = (await store.get([client, key])) ?? []
          const before = (await store.get([to, key])) ?? []
          await store.put([...before, ...changes], [to, key])
          await store.delete([client, key])
          moved.push([key, changes])
        }
        return moved
      }),
    close: () => database.close(),
  }
}
