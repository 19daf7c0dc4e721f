import type { ClientInternals } from '@tutti/client/internal'
import { RealtimeError } from '@tutti/protocol'
import * as Y from 'yjs'
import { REMOTE } from './document-feed.ts'
import type { StorageInternals, StoredChange, StoredDocument } from './storage-contract.ts'
import type { UpdateQueue } from './update-queue.ts'

/** The origin of changes that come from the storage: no edit of this page. */
export const PERSISTED = Symbol('persisted')

/** Changes that the server has are stored after this time, milliseconds: a page that ends before receives them again. */
const IDLE_MS = 500

/** Time between two attempts to store what was not stored, milliseconds. */
const RETRY_MS = 5_000

/** Rows of one document above which they are replaced by one. */
const MAX_ROWS = 500

/** Keeps one document in the storage of the browser. */
export interface DocumentPersistence {
  /** Settles when the document has what is stored, or when that takes too long. */
  readonly loaded: Promise<void>
  /** Why edits are kept in memory only. */
  readonly error: RealtimeError | undefined
  /** The queue or the offset has changed. */
  changed(): void
  /** Stores what is not stored yet, and ends. */
  dispose(): void
}

/** What the persistence of a document needs. */
export interface DocumentPersistenceOptions {
  internals: Pick<ClientInternals, 'clock'>
  storage: StorageInternals
  document: string
  doc: Y.Doc
  queue: UpdateQueue
  /** Place in the server's log up to which the document is complete; `undefined` where it is not. */
  offset: () => string | undefined
  /** The stored content and edits are in the document; the edits must be sent. */
  onRestored: (stored: StoredDocument) => void
  onChange: () => void
}

/** Begins to read what is stored of a document, and to store its changes. */
export function persistDocument(options: DocumentPersistenceOptions): DocumentPersistence {
  const { storage, document, doc, queue, offset, onRestored, onChange } = options
  const { clock } = options.internals
  /** What is stored contains the document except `content`; of no generation where that is not known. */
  let generation: string | undefined
  let rows: number[] = []
  let content: Uint8Array[] = []
  /** Keys of edits in the storage. */
  const stored = new Set<string>()
  let storedOffset: string | undefined
  let error: RealtimeError | undefined
  let isRead = false
  let isWriting = false
  /** Nothing is stored any more. */
  let isEnded = false
  let isDisposed = false
  let cancel: (() => void) | undefined
  const isNew = doc.store.clients.size === 0

  const fail = (cause: unknown): void => {
    const { code, message } = cause instanceof RealtimeError ? cause : { code: 'UNAVAILABLE' as const, message: String(cause) }
    const text = `This browser does not store the edits of ${document}: a reload loses those that the server has not acknowledged. ${message}`
    error = new RealtimeError(code, { message: text, cause })
    onChange()
  }
  const recovered = (): void => {
    if (error === undefined || isEnded) return
    error = undefined
    onChange()
  }
  const isStored = (): boolean =>
    generation !== undefined &&
    content.length === 0 &&
    storedOffset === (offset() ?? storedOffset) &&
    stored.size === queue.all().length &&
    queue.all().every(({ key }) => stored.has(key))

  const take = (found: string | undefined): StoredChange => {
    const isKnown = found !== undefined && found === generation
    const isWhole = !isKnown || rows.length >= MAX_ROWS
    const all = queue.all()
    const keys = new Set(all.map(({ key }) => key))
    const change: StoredChange = {
      replaced: isWhole ? rows : [],
      content: isWhole ? Y.encodeStateAsUpdate(doc) : content.length === 0 ? undefined : Y.mergeUpdates(content),
      edits: isKnown ? all.filter(({ key }) => !stored.has(key)) : all,
      acknowledged: [...stored].filter((key) => !keys.has(key)),
      offset: offset(),
    }
    content = []
    if (isWhole) rows = []
    return change
  }
  const write = (): void => {
    cancel?.()
    cancel = undefined
    if (!isRead || isWriting || isEnded || isStored()) return
    isWriting = true
    let taken: StoredChange | undefined
    storage
      .write(document, (found) => (taken = take(found)))
      .then(
        (place) => {
          if (taken === undefined) return
          generation = place.generation
          if (place.row !== undefined) rows.push(place.row)
          for (const { key } of taken.edits) stored.add(key)
          for (const key of taken.acknowledged) stored.delete(key)
          storedOffset = taken.offset ?? storedOffset
          isWriting = false
          recovered()
          changed()
        },
        (cause: unknown) => {
          isWriting = false
          // The next one stores everything again.
          generation = undefined
          if (isEnded || isDisposed) return
          fail(cause)
          cancel ??= clock.after(RETRY_MS, write)
        },
      )
  }
  const changed = (): void => {
    if (!isRead || isWriting || isEnded) return
    // Only edits of this page are lost with it.
    if (isDisposed || queue.all().some(({ key }) => !stored.has(key))) return write()
    if (!isStored()) cancel ??= clock.after(IDLE_MS, write)
  }
  const onUpdate = (bytes: Uint8Array, origin: unknown): void => {
    if (origin === PERSISTED) return
    content.push(bytes)
    if (origin === REMOTE) changed()
  }
  doc.on('update', onUpdate)

  const restore = (found: StoredDocument): void => {
    isRead = true
    if (isEnded || isDisposed) return
    const updates = [...found.content, ...found.edits]
    doc.transact(() => {
      for (const { bytes } of updates) Y.applyUpdate(doc, bytes, PERSISTED)
    }, PERSISTED)
    rows = found.content.map(({ key }) => key)
    for (const { key } of found.edits) stored.add(key)
    storedOffset = found.offset
    if (isNew) generation = found.generation
    onRestored(found)
    changed()
  }
  const reading = storage.read(document).then(restore)
  const loaded = new Promise<void>((resolve) => {
    const cancelTimeout = clock.after(storage.timeoutMs, () => {
      if (!isEnded && !isDisposed) fail(`No reply within ${storage.timeoutMs} ms (timeoutMs).`)
      resolve()
    })
    reading.then(
      () => {
        cancelTimeout()
        recovered()
        resolve()
      },
      (cause: unknown) => {
        cancelTimeout()
        isRead = true
        if (!isEnded && !isDisposed) fail(cause)
        resolve()
      },
    )
  })
  const stopEnd = storage.onEnd(() => {
    end()
    fail(new RealtimeError('CLOSED', { message: 'The storage is closed.' }))
  })
  const end = (): void => {
    isEnded = true
    cancel?.()
    stopEnd()
    doc.off('update', onUpdate)
  }

  return {
    loaded,
    get error() {
      return error
    },
    changed,
    dispose: () => {
      isDisposed = true
      write()
    },
  }
}
