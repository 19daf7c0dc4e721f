import { RealtimeError } from '@tutti/protocol'
import * as Y from 'yjs'

// All calls of Yjs on the server. Updates are bytes in its update format v1.

/** Name of the shared text of a document. */
const TEXT = 'text'

/** One update with the content of all, in order. */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  const [first = EMPTY_UPDATE] = updates
  return updates.length <= 1 ? first : Y.mergeUpdates([...updates])
}

/** An update without content. */
const EMPTY_UPDATE: Uint8Array = Y.encodeStateAsUpdate(new Y.Doc())

/** Throws `INVALID_UPDATE` for bytes that are no Yjs update. */
export function checkUpdate(update: Uint8Array): void {
  try {
    Y.decodeUpdate(update)
  } catch (cause) {
    throw new RealtimeError('INVALID_UPDATE', { message: 'Invalid update: the bytes are no Yjs update.', cause })
  }
}

/** A replica of a document in memory. */
export interface Replica {
  /** Throws `INVALID_UPDATE`. */
  apply(update: Uint8Array): void
  /** Updates were applied that build on ones that are missing. */
  readonly isIncomplete: boolean
  /** The whole document. */
  encode(): Uint8Array
  /** What a replica with this state vector lacks. */
  encodeSince(stateVector: Uint8Array): Uint8Array
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
    get isIncomplete() {
      return doc.store.pendingStructs !== null || doc.store.pendingDs !== null
    },
    encode: () => Y.encodeStateAsUpdate(doc),
    encodeSince: (stateVector) => Y.encodeStateAsUpdate(doc, stateVector),
    stateVector: () => Y.encodeStateVector(doc),
    text: () => doc.getText(TEXT).toJSON(),
    destroy: () => doc.destroy(),
  }
}
