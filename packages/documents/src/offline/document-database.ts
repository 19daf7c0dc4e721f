import { RealtimeError } from '@tutti/protocol'
import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { OwnUpdate } from '../client/update-queue.ts'
import type { StoredChange, StoredDocument, StoredPlace } from '../client/storage-contract.ts'

interface Tables extends DBSchema {
  /** By document. */
  documents: { key: string; value: { generation: string; offset: string | undefined } }
  /** Parts of the content. */
  content: { key: number; value: { document: string; bytes: Uint8Array }; indexes: { document: string } }
  /** Edits that the server has not acknowledged, in the order in which they were made. */
  edits: { key: number; value: { document: string } & OwnUpdate; indexes: { document: string; key: [string, string] } }
}

/** The database of one user. Every method rejects once it is closed. */
export interface DocumentDatabase {
  read(document: string): Promise<StoredDocument>
  write(document: string, take: (generation: string | undefined) => StoredChange): Promise<StoredPlace>
  remove(document: string): Promise<void>
  /** The documents with edits that are not acknowledged. */
  pending(): Promise<readonly string[]>
  close(): void
}

/** Why a database ends: another page deletes it, or needs it closed, or the browser has closed it. */
export type DatabaseEnd = 'deleted' | 'closed'

const ALL = ['documents', 'content', 'edits'] as const

/** Opens the database of this name. */
export async function openDocumentDatabase(name: string, onEnd: (end: DatabaseEnd) => void): Promise<DocumentDatabase> {
  const database: IDBPDatabase<Tables> = await openDB<Tables>(name, 1, {
    upgrade: (opened) => {
      opened.createObjectStore('documents')
      opened.createObjectStore('content', { autoIncrement: true }).createIndex('document', 'document')
      const edits = opened.createObjectStore('edits', { autoIncrement: true })
      edits.createIndex('document', 'document')
      edits.createIndex('key', ['document', 'key'])
    },
    // Another page must not wait for this one.
    blocking: (_current, next) => {
      database.close()
      onEnd(next === null ? 'deleted' : 'closed')
    },
    terminated: () => onEnd('closed'),
  })

  return {
    read: async (document) => {
      // One state of all tables.
      const transaction = database.transaction(ALL)
      const content = transaction.objectStore('content').index('document')
      const [place, rows, keys, edits] = await Promise.all([
        transaction.objectStore('documents').get(document),
        content.getAll(document),
        content.getAllKeys(document),
        transaction.objectStore('edits').index('document').getAll(document),
        transaction.done,
      ])
      return {
        generation: place?.generation,
        offset: place?.offset,
        content: rows.flatMap(({ bytes }, index) => {
          const key = keys[index]
          return key === undefined ? [] : [{ key, bytes }]
        }),
        edits: edits.map(({ key, bytes }) => ({ key, bytes })),
      }
    },
    write: async (document, take) => {
      const transaction = database.transaction(ALL, 'readwrite')
      const run = async (): Promise<StoredPlace> => {
        const places = transaction.objectStore('documents')
        const found = await places.get(document)
        const { replaced, content, edits, acknowledged, offset } = take(found?.generation)
        const generation = found?.generation ?? createGeneration()
        const contents = transaction.objectStore('content')
        const edited = transaction.objectStore('edits')
        const row = content && contents.add({ document, bytes: content })
        const done = acknowledged.map(async (key) => {
          const known = await edited.index('key').getKey([document, key])
          if (known !== undefined) await edited.delete(known)
        })
        await Promise.all([
          ...replaced.map((key) => contents.delete(key)),
          ...edits.map((edit) => edited.add({ document, ...edit })),
          ...done,
          places.put({ generation, offset: offset ?? found?.offset }, document),
        ])
        return { generation, row: await row }
      }
      return (await Promise.all([run(), transaction.done]))[0]
    },
    remove: async (document) => {
      const transaction = database.transaction(ALL, 'readwrite')
      const clear = async (table: 'content' | 'edits'): Promise<void> => {
        const store = transaction.objectStore(table)
        const keys = await store.index('document').getAllKeys(document)
        await Promise.all(keys.map((key) => store.delete(key)))
      }
      await Promise.all([transaction.objectStore('documents').delete(document), clear('content'), clear('edits'), transaction.done])
    },
    pending: async () => [...new Set((await database.getAll('edits')).map(({ document }) => document))],
    close: () => database.close(),
  }
}

/** Removes the database of this name, also while other pages have it open. */
export const deleteDocumentDatabase = (name: string): Promise<void> => deleteDB(name)

const createGeneration = (): string => Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(36)).join('')

/** The error for a failure of IndexedDB. */
export const databaseError = (cause: unknown): RealtimeError =>
  cause instanceof RealtimeError ? cause : new RealtimeError('UNAVAILABLE', { message: `IndexedDB failed: ${String(cause)}`, cause })
