/// <reference lib="dom" />
import { RealtimeError } from '@tutti/protocol'
import { createListeners, parseOptions, required, text, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import type { DocumentStorage, StorageInternals } from '../client/storage-contract.ts'
import { databaseError, deleteDocumentDatabase, openDocumentDatabase, type DocumentDatabase } from './document-database.ts'

export type { DocumentStorage } from '../client/storage-contract.ts'

/** Options of `createDocumentStorage`. */
export interface DocumentStorageOptions {
  /** Whose documents they are. Each user has a database, so that no user sends the edits of another. */
  user: string
  /**
   * Begins the name of the database.
   *
   * @default 'tutti-documents'
   */
  name?: string | undefined
  /**
   * How long a document waits for the storage before it is opened without it, milliseconds.
   *
   * @default 3_000
   */
  timeoutMs?: number | undefined
}

const OPTIONS = {
  user: required(text(undefined)),
  name: text('tutti-documents'),
  timeoutMs: wholeNumber(1, 3_000),
} satisfies OptionRows<DocumentStorageOptions>

/**
 * Documents in IndexedDB: a reload shows them at once, also offline, and loses no edit. Pass it to documents as option `persist`.
 * Nothing is opened before the first use.
 *
 * Without IndexedDB, or while it fails, documents work in memory, and `persistError` of each one has the reason.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const storage = createDocumentStorage({ user: userId })
 * const notes = document(client, 'notes:1', { persist: storage })
 */
export function createDocumentStorage(options: DocumentStorageOptions): DocumentStorage {
  const { user, name, timeoutMs } = parseOptions('createDocumentStorage', OPTIONS, options)
  const database = `${name}:${user}`
  const ends = createListeners<[]>(() => {})
  let opened: Promise<DocumentDatabase> | undefined
  let isClosed = false

  const end = (): void => {
    if (isClosed) return
    isClosed = true
    ends.emit()
    ends.clear()
  }
  const access = async <Result>(run: (store: DocumentDatabase) => Promise<Result>): Promise<Result> => {
    if (isClosed) throw new RealtimeError('CLOSED', { message: 'The storage of documents is closed.' })
    if (typeof indexedDB === 'undefined') throw new RealtimeError('UNSUPPORTED', { message: 'IndexedDB is not available.' })
    const mine = (opened ??= openDocumentDatabase(database, (reason) => {
      if (reason === 'deleted') end()
      if (opened === mine) opened = undefined
    }))
    try {
      return await run(await mine)
    } catch (cause) {
      // The next access opens it again.
      if (opened === mine) close()
      throw databaseError(cause)
    }
  }
  const close = (): void => {
    opened?.then(
      (store) => store.close(),
      () => {},
    )
    opened = undefined
  }

  const internals: StorageInternals = {
    timeoutMs,
    read: (document) => access((store) => store.read(document)),
    write: (document, take) => access((store) => store.write(document, take)),
    onEnd: (listener) => ends.add(listener),
  }
  return {
    internals,
    pending: () => access((store) => store.pending()),
    remove: (id) => access((store) => store.remove(id)),
    clear: async () => {
      // The error of a browser without IndexedDB.
      await access(async () => {})
      end()
      close()
      await deleteDocumentDatabase(database).catch((cause: unknown) => {
        throw databaseError(cause)
      })
    },
    close: () => {
      end()
      close()
    },
  }
}
