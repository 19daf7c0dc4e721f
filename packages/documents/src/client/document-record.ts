import type { ClientInternals } from '@tutti/client/internal'
import { createObservable, createRetry, type Observable } from '@tutti/client/internal'
import { RealtimeError, type Notices, type OpenedDocument } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import type { Awareness } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { createDocumentAwareness, type DocumentAwareness } from './document-awareness.ts'
import type { DocumentSnapshot } from './document-contract.ts'
import { createOwnEdits, type OwnEdits } from './own-edits.ts'
import { bytesOf, fetchTransfer, PART_BYTES, sendTransfer, textOf } from './transfer.ts'

/** Name of the shared text, as on the server. */
const TEXT = 'text'

/** Edits within this time are one update, milliseconds. */
const TICK_MS = 20

/** The origin of changes that come from the server. */
const REMOTE = Symbol('remote')

/** An update without content has no more bytes than this. */
const EMPTY_BYTES = 2

/** One document of a client, for all its handles. */
export interface DocumentRecord {
  readonly doc: Y.Doc
  readonly text: Y.Text
  readonly ownEdits: OwnEdits
  /** Made with its first use. */
  awareness(): Awareness
  readonly observable: Observable<DocumentSnapshot>
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
  const { connection, clock, onThrow } = internals
  const doc = new Y.Doc()
  const text = doc.getText(TEXT)
  const retry = createRetry(internals)
  /** What the server has sent: a place in its log. */
  let offset: string | undefined
  let stored: string | undefined
  let failing = false
  let write = true
  let error: RealtimeError | undefined
  /** Edits that the server has not acknowledged: waiting, and sent. */
  let waiting: Uint8Array[] = []
  let sent: Uint8Array | undefined
  let isOpen = false
  let isOpening = false
  let hasContent = false
  let cancelTick: (() => void) | undefined
  /** Notices that arrive while the content is fetched. */
  let held: Notices['document:updated'][] = []
  let transfers = 0
  let shown: DocumentAwareness | undefined

  const pendingUpdates = (): number => waiting.length + (sent === undefined ? 0 : 1)
  const snapshot = (): DocumentSnapshot => ({
    loading: !hasContent && error === undefined,
    synced: isOpen && pendingUpdates() === 0,
    pendingUpdates: pendingUpdates(),
    stored: hasContent && pendingUpdates() === 0 && stored === offset,
    failing,
    readOnly: !write,
    error,
    canUndo: ownEdits.canUndo,
    canRedo: ownEdits.canRedo,
  })
  const ownEdits = createOwnEdits(text, () => refresh())
  const { observable, show } = createObservable(snapshot(), onThrow)
  const refresh = (): void => show(snapshot())

  const apply = (update: Uint8Array): void => {
    if (update.length > EMPTY_BYTES) Y.applyUpdate(doc, update, REMOTE)
  }
  const refuse = (reason: RealtimeError): void => {
    write = false
    error = reason
    refresh()
  }

  const flush = (): void => {
    cancelTick = undefined
    if (!isOpen || sent !== undefined || waiting.length === 0 || !write) return
    const update = waiting.length === 1 && waiting[0] !== undefined ? waiting[0] : Y.mergeUpdates(waiting)
    waiting = []
    sent = update
    send(update).then(acknowledged, (reason: unknown) => failed(update, toError(reason)))
  }
  const send = async (update: Uint8Array): Promise<string> => {
    if (update.length <= PART_BYTES) return request({ update: textOf(update) })
    transfers += 1
    const transfer = `update-${transfers}`
    await sendTransfer(internals, id, transfer, update)
    return request({ transfer })
  }
  const request = (content: { update: string } | { transfer: string }): Promise<string> =>
    new Promise((resolve, reject) =>
      connection.request('document:update', { document: id, ...content }, ({ result, error: reason }) =>
        reason ? reject(reason) : resolve(result.offset),
      ),
    )
  const acknowledged = (): void => {
    sent = undefined
    retry.reset()
    refresh()
    flush()
  }
  const failed = (update: Uint8Array, reason: Error): void => {
    // An update that is applied twice changes nothing.
    waiting.unshift(update)
    sent = undefined
    if (!(reason instanceof RealtimeError)) return onThrow(reason)
    if (reason.retryable) retry.plan(flush, reason.retryAfterMs)
    else if (reason.code !== 'OUTCOME_UNKNOWN') refuse(reason)
    refresh()
  }
  const scheduleFlush = (): void => {
    cancelTick ??= clock.after(TICK_MS, flush)
  }
  const onUpdate = (update: Uint8Array, origin: unknown): void => {
    if (origin === REMOTE) return
    waiting.push(update)
    refresh()
    scheduleFlush()
  }
  doc.on('update', onUpdate)

  const opened = async (reply: OpenedDocument, isSameLog: boolean): Promise<void> => {
    if (reply.transfer) apply(await fetchTransfer(internals, id, reply.transfer))
    if (reply.update) apply(bytesOf(reply.update))
    write = reply.write
    offset = reply.offset
    error = undefined
    hasContent = true
    if (!isSameLog) {
      // Edits of an earlier page, or those that the log has lost: all that the server lacks.
      const missing = Y.encodeStateAsUpdate(doc, bytesOf(reply.stateVector))
      waiting = missing.length > EMPTY_BYTES && hasNews(missing) ? [missing] : []
      sent = undefined
    }
    isOpening = false
    isOpen = true
    const notices = held
    held = []
    for (const notice of notices) updated(notice)
    refresh()
    flush()
    shown?.open()
  }
  const open = (): void => {
    if (isOpening || !connection.up) return
    isOpening = true
    const epoch = offset?.split('-', 1)[0]
    const payload = { document: id, offset, stateVector: textOf(Y.encodeStateVector(doc)) }
    connection.request('document:open', payload, ({ result, error: reason }) => {
      if (result) {
        const isSameLog = epoch !== undefined && result.offset.startsWith(`${epoch}-`)
        return void opened(result, isSameLog).catch(openFailed)
      }
      openFailed(reason)
    })
  }
  const openFailed = (thrown: unknown): void => {
    isOpening = false
    if (!(thrown instanceof RealtimeError)) return onThrow(thrown)
    if (thrown.retryable) return retry.plan(open, thrown.retryAfterMs)
    if (thrown.code === 'OUTCOME_UNKNOWN') return
    error = thrown
    write = false
    refresh()
  }

  const updated = (notice: Notices['document:updated']): void => {
    if (isOpening) return void held.push(notice)
    if (!isOpen || offset === undefined) return
    const [epoch = '', number = ''] = notice.offset.split('-')
    const [ownEpoch, ownNumber = ''] = offset.split('-')
    if (epoch === ownEpoch && Number.parseInt(number, 36) <= Number.parseInt(ownNumber, 36)) return
    // A notice was missed, or the update is too long for one.
    if (notice.previous !== offset || notice.update === undefined) return open()
    offset = notice.offset
    apply(bytesOf(notice.update))
    // Updates that build on ones that are missing.
    if (doc.store.pendingStructs !== null) open()
    refresh()
  }

  return {
    doc,
    text,
    ownEdits,
    observable,
    open,
    updated,
    awareness: () => {
      if (shown === undefined) {
        shown = createDocumentAwareness(internals, id, doc)
        if (isOpen) shown.open()
      }
      return shown.awareness
    },
    awarenessChanged: (notice) => shown?.changed(notice),
    lose: () => {
      isOpen = false
      isOpening = false
      held = []
      shown?.lose()
      refresh()
    },
    status: (notice) => {
      stored = notice.stored
      failing = notice.failing === true
      refresh()
    },
    revoked: (reason) => {
      isOpen = false
      shown?.lose()
      refuse(reason)
    },
    dispose: () => {
      cancelTick?.()
      retry.reset()
      if (isOpen) {
        cancelTick = undefined
        flush()
        connection.request('document:close', { document: id }, () => {})
      }
      shown?.dispose()
      doc.destroy()
    },
  }
}

/** Whether an update has more than deletions, which every difference contains. */
function hasNews(update: Uint8Array): boolean {
  const { structs, ds } = Y.decodeUpdate(update)
  return structs.length > 0 || ds.clients.size > 0
}
