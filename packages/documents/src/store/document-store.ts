/** A document as it is listed. */
export interface DocumentSummary {
  readonly id: string
  readonly title: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** What is stored of a document: everything up to `offset`. */
export interface StoredDocument {
  readonly id: string
  readonly title: string
  readonly createdAt: Date
  readonly offset: number
  readonly snapshot: Uint8Array | undefined
  readonly snapshotOffset: number
  /** Updates after the snapshot, in order. */
  readonly updates: readonly Uint8Array[]
}

/** The updates of a document after `previous` up to `offset`, merged. */
export interface UpdateBatch {
  readonly document: string
  /** The offset up to which the document must be stored before. 0: nothing. */
  readonly previous: number
  readonly offset: number
  readonly bytes: Uint8Array
  /** Ids of the users whose edits it contains. */
  readonly authors: readonly string[]
}

/** The updates of a document after `previous` up to `offset`, merged, as they are stored. */
export type StoredUpdate = Pick<UpdateBatch, 'previous' | 'offset' | 'bytes'>

/** The whole document at an offset. */
export interface NewSnapshot {
  readonly document: string
  readonly offset: number
  readonly bytes: Uint8Array
  /** The plain text. */
  readonly text: string
}

/** A row of the history of a document: its authors, by time. */
export interface UpdateAuthors {
  readonly offset: number
  readonly authors: readonly string[]
  readonly createdAt: Date
}

/** A named snapshot. */
export interface DocumentVersion {
  readonly id: number
  readonly name: string
  readonly author: string
  readonly offset: number
  readonly createdAt: Date
}

/** What a version is made of. */
export interface NewVersion {
  readonly document: string
  readonly name: string
  readonly author: string
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Bounds of a page. */
export interface PageOptions {
  /** Rows at most. @default 100 */
  limit?: number | undefined
  /** Rows that come before this one: the id of a version, or the offset of an update. Without it, the newest ones. */
  before?: number | undefined
}

/**
 * The database of documents. It contains a prefix of each document's log, and never more: an older state cannot overwrite a newer
 * one, whichever instance writes.
 *
 * @throws {RealtimeError} `UNAVAILABLE`, where the database cannot be reached; `INVALID_OPTIONS` for an invalid `limit`.
 */
export interface DocumentStore {
  /**
   * Settles when the tables are there.
   *
   * @throws {RealtimeError} `UNAVAILABLE`.
   */
  readonly ready: Promise<void>
  /** Creates the document unless it exists. Returns whether it was created. */
  create(document: { id: string; title?: string | undefined }): Promise<boolean>
  /** Changes the title. Returns false without such a document. */
  rename(id: string, title: string): Promise<boolean>
  /** Removes the document with its updates and versions. Returns false without such a document. */
  remove(id: string): Promise<boolean>
  /** The documents, last changed first. */
  list(options?: { limit?: number | undefined; changedBefore?: Date | undefined }): Promise<readonly DocumentSummary[]>
  /** What is stored of a document, or `undefined` without such a document. */
  load(id: string): Promise<StoredDocument | undefined>
  /** The first updates after an offset, in order, at most `maxBytes` together. The first one may begin before it. */
  updatesAfter(id: string, offset: number, maxBytes: number): Promise<readonly StoredUpdate[]>
  /** The plain text as of the last snapshot. */
  textOf(id: string): Promise<string | undefined>
  /**
   * Stores batches of many documents in one transaction. Returns for each of them whether it was stored: false for a
   * document that is stored up to another offset than `previous`, or that does not exist.
   */
  append(batches: readonly UpdateBatch[]): Promise<readonly boolean[]>
  /** Stores a snapshot, unless a newer one is there. Returns whether it was stored. */
  saveSnapshot(snapshot: NewSnapshot): Promise<boolean>
  /** The authors of stored changes, newest first. */
  history(id: string, options?: PageOptions): Promise<readonly UpdateAuthors[]>
  /** Names the state of a document at an offset. Returns the id of the version. */
  addVersion(version: NewVersion): Promise<number>
  /** The versions of a document, newest first. */
  versions(id: string, options?: PageOptions): Promise<readonly DocumentVersion[]>
  /** The bytes of a version. */
  readVersion(id: string, version: number): Promise<Uint8Array | undefined>
  /** Removes a version. Returns false without such a version. */
  removeVersion(id: string, version: number): Promise<boolean>
  /** Removes updates that are in a snapshot and older than so many milliseconds. Returns how many. */
  prune(olderThanMs: number): Promise<number>
  /** Idempotent. Closes the database connections. */
  close(): Promise<void>
}
