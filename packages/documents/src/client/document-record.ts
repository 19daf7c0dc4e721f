import type { ClientInternals } from '@tutti/client/internal'
import { createObservable, type Observable } from '@tutti/client/internal'
import { RealtimeError, type Notices, type OpenedDocument } from '@tutti/protocol'
import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { acknowledgedContent, isEmptyVector, lackingContent } from './acknowledged-content.ts'
import { createDocumentAwareness, type DocumentAwareness } from './document-awareness.ts'
import type { DocumentSnapshot } from './document-contract.ts'
import { createDocumentFeed, REMOTE } from './document-feed.ts'
import { PERSISTED, persistDocument, type DocumentPersistence } from './document-persistence.ts'
import { createOwnEdits, type OwnEdits } from './own-edits.ts'
import type { StorageInternals, StoredDocument } from './storage-contract.ts'
import { bytesOf } from './transfer.ts'
import { createUpdateQueue } from './update-queue.ts'

/** Name of the shared text, as on the server. */
const TEXT = 'text'

/** One document of a client, for all its handles. */
export interface DocumentRecord {
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly ownEdits: OwnEdits
  /** Made with its first use. */
  awareness(): Awareness
  readonly observable: Observable<DocumentSnapshot>
  /** Keeps the document in a storage of the browser. Throws `INVALID_OPTIONS` where it is kept in another one. */
  persist(storage: StorageInternals): void
  /** The connection is up: opens the document. */
  open(): void
  /** The connection is lost. */
  lose(): void
  updated(notice: Notices['document:updated']): void
  status(notice: Notices['document:status']): void
  awarenessChanged(notice: Notices['document:awareness']): void
  revoked(error: RealtimeError): void
  dispose(): void
}

/** Makes the record of a document. */
export function createDocumentRecord(internals: ClientInternals, id: string): DocumentRecord {
  const doc = new Y.Doc()
  const text = doc.getText(TEXT)
  let stored: string | undefined
  let failing = false
  let write = true
  let error: RealtimeError | undefined
  let hasContent = false
  /** Content of an earlier page that the server has not confirmed yet. */
  let isRestored = false
  let persisted: { readonly storage: StorageInternals; readonly persistence: DocumentPersistence } | undefined
  let shown: DocumentAwareness | undefined

  const snapshot = (): DocumentSnapshot => ({
    loading: !hasContent && error === undefined,
    synced: feed.isOpen && queue.length === 0,
    pendingUpdates: queue.length,
    stored: hasContent && queue.length === 0 && stored !== undefined && stored === feed.offset,
    failing,
    readOnly: !write,
    error,
    persistError: persisted?.persistence.error,
    canUndo: ownEdits.canUndo,
    canRedo: ownEdits.canRedo,
  })
  const refresh = (): void => {
    show(snapshot())
    persisted?.persistence.changed()
  }
  const refuse = (reason: RealtimeError): void => {
    write = false
    error = reason
    refresh()
  }
  const queue = createUpdateQueue({ internals, document: id, session: doc.clientID, onChange: () => refresh(), onRefused: refuse })

  const onOpened = (reply: OpenedDocument, isSameLog: boolean): boolean => {
    const stateVector = bytesOf(reply.stateVector)
    const known = feed.offset === undefined ? 'all' : acknowledgedContent(doc, queue.all(), stateVector)
    // A page that has a document open sends it to a server that has lost all of it, and does not merge it into another one.
    if (known === 'none' && (isRestored || !isEmptyVector(stateVector))) {
      queue.stop()
      const reason = `The server has another document ${id} than this page: it was deleted or replaced. Nothing was sent.`
      const help = 'To receive the new one, dispose of this one, and remove it from its storage.'
      refuse(new RealtimeError('CONFLICT', { message: `${reason} ${help}` }))
      return false
    }
    write = reply.write
    error = undefined
    hasContent = true
    isRestored = false
    // Edits of an earlier page, or those that the log has lost: all that the server lacks.
    if (write && (!isSameLog || known !== 'all')) queue.replace(lackingContent(doc, stateVector))
    if (!write && queue.length > 0) {
      error = new RealtimeError('FORBIDDEN', { message: `Not allowed: document:write on ${id}. ${queue.length} edits are not sent.` })
    }
    return true
  }
  const onFollowing = (): void => {
    refresh()
    if (write) queue.start()
    else queue.stop()
    shown?.open()
  }
  const feed = createDocumentFeed({
    ...{ internals, document: id, doc, onOpened, onFollowing, onRefused: refuse },
    ready: async () => persisted?.persistence.loaded,
    onChange: () => refresh(),
  })
  const ownEdits = createOwnEdits(text, () => refresh())
  const { observable, show } = createObservable(snapshot(), internals.onThrow)

  doc.on('update', (update: Uint8Array, origin: unknown) => {
    if (origin !== REMOTE && origin !== PERSISTED) queue.add(update)
  })
  const onRestored = ({ edits, offset }: StoredDocument): void => {
    hasContent ||= edits.length > 0 || offset !== undefined
    isRestored = offset !== undefined
    queue.restore(edits)
    if (offset !== undefined) feed.restore(offset)
    refresh()
    // It was opened without what was stored.
    if (feed.isOpen) feed.open()
  }

  return {
    doc,
    text,
    ownEdits,
    observable,
    open: feed.open,
    updated: feed.updated,
    persist: (storage) => {
      if (persisted?.storage === storage) return
      if (persisted)
        throw new RealtimeError('INVALID_OPTIONS', {
          message: `The document ${id} is already open with another storage. Pass the same \`persist\` to all of its handles.`,
        })
      const offset = (): string | undefined => (doc.store.pendingStructs === null && doc.store.pendingDs === null ? feed.offset : undefined)
      const persistence = persistDocument({
        ...{ internals, storage, document: id, doc, queue, offset, onRestored },
        onChange: () => show(snapshot()),
      })
      persisted = { storage, persistence }
    },
    awareness: () => {
      if (shown === undefined) {
        shown = createDocumentAwareness(internals, id, doc)
        if (feed.isOpen) shown.open()
      }
      return shown.awareness
    },
    awarenessChanged: (notice) => shown?.changed(notice),
    lose: () => {
      feed.end()
      queue.stop()
      shown?.lose()
      refresh()
    },
    status: (notice) => {
      stored = notice.stored
      failing = notice.failing === true
      refresh()
    },
    revoked: (reason) => {
      feed.end()
      queue.stop()
      shown?.lose()
      refuse(reason)
    },
    dispose: () => {
      queue.dispose()
      feed.dispose()
      persisted?.persistence.dispose()
      shown?.dispose()
      doc.destroy()
    },
  }
}
