import { createHash } from 'node:crypto'
import { RealtimeError } from '@tutti/protocol'
import * as Y from 'yjs'

// All calls of Yjs on the server. Updates are bytes in its update format v1.

/** The document of Yjs that server code changes. */
export type Doc = Y.Doc

/** Name of the shared text of a document. */
const TEXT = 'text'

/** One update with the content of all, in order. */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  const [first = EMPTY_UPDATE] = updates
  return updates.length <= 1 ? first : Y.mergeUpdates([...updates])
}

/** An update without the edits that a replica with this state vector has. Deletions remain. */
export const withoutKnown = (update: Uint8Array, stateVector: Uint8Array): Uint8Array => Y.diffUpdate(update, stateVector)

/** An update without content. */
const EMPTY_UPDATE: Uint8Array = Y.encodeStateAsUpdate(new Y.Doc())

/** Throws `INVALID_UPDATE` for bytes that are no Yjs update. */
export const checkUpdate = (update: Uint8Array): void => check('update', () => Y.decodeUpdate(update))

/** Throws `INVALID_UPDATE` for bytes that are no Yjs state vector. */
export const checkStateVector = (stateVector: Uint8Array): void => check('state vector', () => Y.decodeStateVector(stateVector))

function check(what: string, decode: () => unknown): void {
  try {
    decode()
  } catch (cause) {
    throw new RealtimeError('INVALID_UPDATE', { message: `Invalid ${what}: the bytes are no Yjs ${what}.`, cause })
  }
}

/** A replica of a document in memory. */
export interface Replica {
  /** Throws `INVALID_UPDATE`. */
  apply(update: Uint8Array): void
  /** No update was applied. */
  readonly isEmpty: boolean
  /** The whole document. */
  encode(): Uint8Array
  /** What a replica with this state vector lacks. */
  encodeSince(stateVector: Uint8Array): Uint8Array
  /** A replica with this state vector has nothing that the document lacks; deletions are not compared. */
  hasAll(stateVector: Uint8Array): boolean
  /** A replica with this state vector has nothing of the document. */
  lacksAll(stateVector: Uint8Array): boolean
  stateVector(): Uint8Array
  /** The plain text. */
  text(): string
  destroy(): void
}

/** Makes a replica with the content of updates. */
export function createReplica(updates: readonly Uint8Array[] = []): Replica {
  const doc = new Y.Doc()
  const apply = (update: Uint8Array): void => {
    try {
      Y.applyUpdate(doc, update)
    } catch (cause) {
      throw new RealtimeError('INVALID_UPDATE', { message: 'Invalid update: the bytes are no Yjs update.', cause })
    }
  }
  for (const update of updates) apply(update)
  return {
    apply,
    get isEmpty() {
      return doc.store.clients.size === 0
    },
    encode: () => Y.encodeStateAsUpdate(doc),
    encodeSince: (stateVector) => Y.encodeStateAsUpdate(doc, stateVector),
    hasAll: (stateVector) => [...Y.decodeStateVector(stateVector)].every(([client, clock]) => Y.getState(doc.store, client) >= clock),
    lacksAll: (stateVector) => [...Y.decodeStateVector(stateVector).keys()].every((client) => !doc.store.clients.has(client)),
    stateVector: () => Y.encodeStateVector(doc),
    text: () => doc.getText(TEXT).toJSON(),
    destroy: () => doc.destroy(),
  }
}

/** A copy of a document that server code changes. */
export interface Draft {
  /** Updates the copy and changes it. Returns the update, or `undefined` without a change. */
  change(replica: Replica, run: (doc: Doc) => void): Uint8Array | undefined
  destroy(): void
}

/** Makes a draft. Its edits have one client id, so that many of them do not make the document larger. */
export function createDraft(): Draft {
  const doc = new Y.Doc()
  return {
    change: (replica, run) => {
      Y.applyUpdate(doc, replica.encodeSince(Y.encodeStateVector(doc)))
      const updates: Uint8Array[] = []
      const keep = (update: Uint8Array): void => void updates.push(update)
      doc.on('update', keep)
      try {
        doc.transact(() => run(doc))
      } finally {
        doc.off('update', keep)
      }
      return updates.length === 0 ? undefined : mergeUpdates(updates)
    },
    destroy: () => doc.destroy(),
  }
}

/**
 * The update that seeds a document with a text. The same text makes the same update, and that changes nothing the second time; in a
 * document that was created at another time it makes another one, which is not taken for the content of the first document.
 */
export function seedUpdate(text: string, createdAt: Date): Uint8Array {
  const doc = new Y.Doc()
  doc.clientID = createHash('sha256').update(`${createdAt.getTime()} ${text}`).digest().readUInt32BE(0)
  doc.getText(TEXT).insert(0, text)
  return Y.encodeStateAsUpdate(doc)
}

/** The origin of the changes that a restored version reverts. */
const SINCE = Symbol('since the version')

/**
 * The update that restores an earlier state of a document: it reverts all changes since, of any type, as one new edit. `undefined`
 * without such changes.
 */
export function restoreUpdate(replica: Replica, version: Uint8Array): Uint8Array | undefined {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, version)
  const manager = new Y.UndoManager(doc, { trackedOrigins: new Set([SINCE]) })
  try {
    Y.applyUpdate(doc, replica.encodeSince(Y.encodeStateVector(doc)), SINCE)
    return manager.undo() === null ? undefined : Y.encodeStateAsUpdate(doc, replica.stateVector())
  } finally {
    doc.destroy()
  }
}
