import type { RealtimeClient } from '@tutti/client'
import type { ClientInternals, Connection } from '@tutti/client/internal'
import { fromWireError, parseDocument, RealtimeError } from '@tutti/protocol'
import { anything, parseOptions, type OptionRows } from '@tutti/protocol/internal'
import { createDocumentRecord, type DocumentRecord } from './document-record.ts'
import type { DocumentSnapshot, RealtimeDocument } from './document-contract.ts'
import type { DocumentStorage } from './storage-contract.ts'

export type { DocumentStorage } from './storage-contract.ts'
export type { DocumentSnapshot, RealtimeDocument } from './document-contract.ts'

/** Options of `document`. */
export interface DocumentOptions {
  /**
   * Keeps the document in this browser, so that a reload shows it at once and loses no edit: `createDocumentStorage({ user })` of
   * `@tutti/documents/offline`. One storage for all handles of a client on a document. Without it, edits are kept in memory.
   */
  persist?: DocumentStorage | undefined
}

/** The documents of one client. */
interface DocumentRecords {
  readonly byId: Map<string, { readonly record: DocumentRecord; handles: number }>
  readonly internals: ClientInternals
}

const OPTIONS = { persist: anything } satisfies OptionRows<DocumentOptions>

const recordsOf = new WeakMap<Connection, DocumentRecords>()

/**
 * Opens a document, and follows it until the last handle is disposed of. Edits that are made while it is offline are sent later.
 *
 * @throws {RealtimeError} `INVALID_DOCUMENT`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const notes = document(client, 'notes:1')
 * notes.text.insert(0, 'Hello')
 */
export function document({ internals }: Pick<RealtimeClient, 'internals'>, id: string, options: DocumentOptions = {}): RealtimeDocument {
  parseDocument(id)
  const { persist } = parseOptions('document', OPTIONS, options)
  if (internals.isClosed()) throw new RealtimeError('CLOSED')
  const { byId } = attached(internals)
  const known = byId.get(id)
  const own = known ?? { record: createDocumentRecord(internals, id), handles: 0 }
  const isNew = known === undefined
  if (persist) own.record.persist(persist.internals)
  byId.set(id, own)
  own.handles += 1
  if (isNew && internals.connection.up) own.record.open()
  const { doc, text, ownEdits, observable } = own.record
  let isDisposed = false
  return {
    id,
    doc,
    text,
    get awareness() {
      return own.record.awareness()
    },
    get current() {
      return observable.current
    },
    subscribe: observable.subscribe,
    undo: ownEdits.undo,
    redo: ownEdits.redo,
    dispose: () => {
      if (isDisposed) return
      isDisposed = true
      own.handles -= 1
      const end = (): void => {
        if (own.handles > 0 || byId.get(id) !== own || mustSend(observable.current)) return
        stop()
        byId.delete(id)
        own.record.dispose()
      }
      // Edits that the server has not acknowledged are still sent.
      const stop = observable.subscribe(end)
      end()
    },
  }
}

/** Edits are still to be acknowledged, and the server has not refused them. */
const mustSend = ({ pendingUpdates, readOnly }: DocumentSnapshot): boolean => pendingUpdates > 0 && !readOnly

/** Makes the records of a client with its first document. */
function attached(internals: ClientInternals): DocumentRecords {
  const { connection } = internals
  const known = recordsOf.get(connection)
  if (known !== undefined) return known
  const made: DocumentRecords = { byId: new Map(), internals }
  recordsOf.set(connection, made)
  const find = (id: string): DocumentRecord | undefined => made.byId.get(id)?.record
  const each = (run: (record: DocumentRecord) => void): void => {
    for (const { record } of made.byId.values()) run(record)
  }
  connection.attach({
    onUp: () => each((record) => record.open()),
    onDown: () => each((record) => record.lose()),
    'document:updated': (notice) => find(notice.document)?.updated(notice),
    'document:awareness': (notice) => find(notice.document)?.awarenessChanged(notice),
    'document:status': (notice) => find(notice.document)?.status(notice),
    'server:revoked': ({ target, error }) => {
      if ('document' in target) find(target.document)?.revoked(fromWireError(error))
    },
  })
  return made
}
