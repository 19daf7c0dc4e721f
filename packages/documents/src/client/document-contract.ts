import type { Observable } from '@tutti/client'
import type { RealtimeError } from '@tutti/protocol'
import type { Awareness } from 'y-protocols/awareness'
import type { Doc, Text } from 'yjs'

/** What is known of a document. */
export interface DocumentSnapshot {
  /** No content has arrived yet, neither from the server nor from the storage of this browser. */
  readonly loading: boolean
  /** The server has all edits of this client, and this client had all of the server's when it opened the document. */
  readonly synced: boolean
  /** Edits, merged by tick, that the server has not acknowledged. */
  readonly pendingUpdates: number
  /** Everything that this client has seen is in the database. */
  readonly stored: boolean
  /** The database refuses the document; its edits are kept in the log. */
  readonly failing: boolean
  /** Edits are not accepted: the user may only read, or an edit was refused. */
  readonly readOnly: boolean
  /** Why the document is not available, or why an edit was refused. */
  readonly error: RealtimeError | undefined
  /**
   * Why the storage of this browser (`persist`) does not have the latest edits: a reload loses those that the server has not
   * acknowledged. UNSUPPORTED without IndexedDB, UNAVAILABLE where it fails or is full, CLOSED after its end.
   */
  readonly persistError: RealtimeError | undefined
  /** `undo` has edits to revert. */
  readonly canUndo: boolean
  /** `redo` has edits to apply again. */
  readonly canRedo: boolean
}

/** A document that many edit, as an observable of its state. */
export interface RealtimeDocument extends Observable<DocumentSnapshot> {
  readonly id: string
  /** The Yjs document: any editor binding of Yjs works on it. Shared by all handles of a client on this id. */
  readonly doc: Doc
  /** Its shared text, which server code and the database read. */
  readonly text: Text
  /**
   * What clients that have the document open show each other: cursors, selections, names. Any editor binding of Yjs works on it. Never
   * stored; ends with the connection, and is seen by no client that does not use it. Shared as `doc` is.
   *
   * @example
   * notes.awareness.setLocalStateField('user', { name: 'Ada', color: '#c2410c' })
   */
  readonly awareness: Awareness
  /**
   * Reverts the last edits of this client to `text`: those within half a second are one step. Edits of others are kept. Returns false
   * if there are none.
   */
  undo(): boolean
  /** Applies the last edits again that `undo` has reverted. Returns false if there are none. */
  redo(): boolean
  /** Ends this handle; the last one of a client closes the document and destroys `doc`. */
  dispose(): void
}
