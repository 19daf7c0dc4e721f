import type { OwnUpdate } from './update-queue.ts'

/** Documents of one user in this browser: the option `persist` of a document. */
export interface DocumentStorage {
  /**
   * The ids of documents with edits that the server has not acknowledged. Opening one sends them.
   *
   * @throws {RealtimeError} `UNSUPPORTED`, `UNAVAILABLE`, `CLOSED`.
   */
  pending(): Promise<readonly string[]>
  /**
   * Removes a document from this browser, with its unacknowledged edits. Dispose of its handles first: an open document is stored
   * again with its next change.
   *
   * @throws {RealtimeError} `UNSUPPORTED`, `UNAVAILABLE`, `CLOSED`.
   */
  remove(id: string): Promise<void>
  /**
   * Removes all documents of the user from this browser, with their unacknowledged edits, and closes the storage in each page: for the
   * sign-out on a shared computer. `pending` shows beforehand what would be lost.
   *
   * @throws {RealtimeError} `UNSUPPORTED`, `UNAVAILABLE`, `CLOSED`.
   */
  clear(): Promise<void>
  /** Closes the database. What is stored stays; open documents are kept in memory only from then on. Idempotent. */
  close(): void
  /**
   * What documents use.
   * @internal
   */
  readonly internals: StorageInternals
}

/** A stored part of the content. */
export interface ContentRow {
  readonly key: number
  readonly bytes: Uint8Array
}

/** What the storage has of a document. */
export interface StoredDocument {
  /** Another one after the document was removed: earlier rows are gone. */
  readonly generation: string | undefined
  /** Place in the server's log up to which the content is complete. */
  readonly offset: string | undefined
  readonly content: readonly ContentRow[]
  /** What the server has not acknowledged, of all pages, the oldest first. It is part of the content too. */
  readonly edits: readonly OwnUpdate[]
}

/** What one transaction changes. */
export interface StoredChange {
  /** Rows that are contained in `content`. */
  readonly replaced: readonly number[]
  readonly content: Uint8Array | undefined
  readonly edits: readonly OwnUpdate[]
  /** Keys of edits that the server has. */
  readonly acknowledged: readonly string[]
  /** Unchanged where it is undefined. */
  readonly offset: string | undefined
}

/** What a transaction has stored. */
export interface StoredPlace {
  readonly generation: string
  /** Key of the content, where it had any. */
  readonly row: number | undefined
}

/**
 * The storage, as documents use it.
 *
 * @throws {RealtimeError} `UNSUPPORTED`, `UNAVAILABLE`, `CLOSED`.
 */
export interface StorageInternals {
  /** How long a document waits for the storage, milliseconds. */
  readonly timeoutMs: number
  read(document: string): Promise<StoredDocument>
  /** All or nothing. `take` is called in the transaction, with the generation that is stored; what it returns is stored at once. */
  write(document: string, take: (generation: string | undefined) => StoredChange): Promise<StoredPlace>
  /** Runs when the storage is closed, by this page or by another one that clears it. Returns an unsubscribe function. */
  onEnd(listener: () => void): () => void
}
