import type { JsonValue } from './json.ts'

/** Bytes: base64, or binary where that is smaller on the wire. */
export type WireBytes = string | Uint8Array

/**
 * A document as far as the client lacks it: a transfer whose parts the client requests by `document:part`, then `update`; either or both.
 * `stateVector` is the server's: the client sends what the server lacks. `write`: whether updates of the client are accepted.
 */
export interface OpenedDocument extends DocumentContent {
  offset: string
  stateVector: WireBytes
  write: boolean
}

/** Bytes of a document: `update`, or a transfer whose parts the client requests by `document:part`. */
export interface DocumentContent {
  update?: WireBytes
  transfer?: { id: string; bytes: number }
}

/** What one client shows in a document. `client` is the id of its Yjs document; `state` is null where it shows nothing. */
export interface AwarenessState {
  client: number
  state: JsonValue
}

/** A page of the named versions of a document, newest first. `at`: milliseconds since 1970. With `more` older ones follow. */
export interface DocumentVersionPage {
  versions: { id: number; name: string; author: string; at: number }[]
  more?: true
}

/** A page of the stored changes of a document, newest first: the users that made them, and the offset of the last one. */
export interface DocumentChangePage {
  changes: { offset: number; authors: string[]; at: number }[]
  more?: true
}
