import { callback, parseOptions, required, wholeNumber, withMethods, type OptionRows, type Settings } from '@tutti/protocol/internal'
import type { DocumentStore } from '../store/document-store.ts'

/** Options of `createDocuments`. */
export interface DocumentsOptions {
  /** The database: `pgliteStore()` or `postgresStore({ url })`. Closed with the server. */
  store: DocumentStore
  /**
   * The text of a document that has no content yet: added once, whichever clients and instances open the document first. Must return
   * the same text for an id on every instance.
   *
   * @default no text
   */
  seed?: ((id: string) => string | undefined | Promise<string | undefined>) | undefined
  /**
   * Time between two writes to the database while documents change, milliseconds.
   *
   * @default 500
   */
  storeIntervalMs?: number | undefined
  /**
   * A snapshot is stored at the latest after this time, milliseconds.
   *
   * @default 600_000
   */
  snapshotIntervalMs?: number | undefined
  /**
   * How long updates that a snapshot contains stay in the database, for the history of authors, milliseconds: 30 days.
   *
   * @default 2_592_000_000
   */
  keepUpdatesMs?: number | undefined
  /**
   * How long a document without connections stays in memory, milliseconds.
   *
   * @default 30_000
   */
  unloadAfterMs?: number | undefined
  /**
   * Bytes of one update of a client.
   *
   * @default 4_000_000
   */
  maxUpdateBytes?: number | undefined
  /**
   * Bytes of a document.
   *
   * @default 16_000_000
   */
  maxDocumentBytes?: number | undefined
  /**
   * Bytes of what one client shows in a document, for example its cursor and name, as JSON.
   *
   * @default 2_048
   */
  maxAwarenessBytes?: number | undefined
  /**
   * Time limit of a call to the database, after which it counts as not available, milliseconds.
   *
   * @default 10_000
   */
  databaseTimeoutMs?: number | undefined
  /**
   * Named versions of a document, at most 1,000. Each contains the whole document.
   *
   * @default 100
   */
  maxVersions?: number | undefined
  /**
   * Time between two attempts to store a document that the database refuses, milliseconds.
   *
   * @default 30_000
   */
  retryMs?: number | undefined
}

export const DOCUMENTS_OPTIONS = {
  store: required(withMethods(['load', 'append', 'saveSnapshot', 'close'], undefined)),
  seed: callback(undefined),
  storeIntervalMs: wholeNumber(1, 500),
  snapshotIntervalMs: wholeNumber(1, 600_000),
  keepUpdatesMs: wholeNumber(1, 2_592_000_000, Number.MAX_SAFE_INTEGER),
  unloadAfterMs: wholeNumber(0, 30_000),
  maxUpdateBytes: wholeNumber(1, 4_000_000),
  maxDocumentBytes: wholeNumber(1, 16_000_000),
  maxAwarenessBytes: wholeNumber(1, 2_048),
  databaseTimeoutMs: wholeNumber(1, 10_000),
  maxVersions: wholeNumber(0, 100, 1_000),
  retryMs: wholeNumber(1, 30_000),
} satisfies OptionRows<DocumentsOptions>

/** The options with their defaults. */
export type DocumentsSettings = Settings<DocumentsOptions, typeof DOCUMENTS_OPTIONS> & { readonly store: DocumentStore }

/** Throws `INVALID_OPTIONS`. */
export const parseDocumentsOptions = (options: DocumentsOptions): DocumentsSettings => ({
  ...parseOptions('createDocuments', DOCUMENTS_OPTIONS, options),
  store: options.store,
})
