import type { ClientInternals } from '@tutti/client/internal'
import { createRetry } from '@tutti/client/internal'
import { RealtimeError, type Notices, type OpenedDocument } from '@tutti/protocol'
import { mayRepeat } from '@tutti/protocol/internal'
import * as Y from 'yjs'
import { request } from './request.ts'
import { bytesOf, fetchTransfer, textOf } from './transfer.ts'

/** The origin of changes that come from the server. */
export const REMOTE = Symbol('remote')

/** An update without content has no more bytes than this. */
const EMPTY_BYTES = 2

/** Follows the server's log of one document. */
export interface DocumentFeed {
  /** The place in the log up to which the document has everything. */
  readonly offset: string | undefined
  /** The server's changes follow. */
  readonly isOpen: boolean
  /** The document has everything up to this place, from an earlier page. */
  restore(offset: string): void
  /** Opens the document where the connection is up, and receives what is missing. */
  open(): void
  /** The connection is lost, or the server ends the document: nothing follows. */
  end(): void
  updated(notice: Notices['document:updated']): void
  dispose(): void
}

/** What a feed needs. */
export interface DocumentFeedOptions {
  internals: ClientInternals
  document: string
  doc: Y.Doc
  /** Settles when the document has what this browser has stored. */
  ready: () => Promise<void>
  /**
   * What was missing has arrived. `isSameLog`: the log is the one that the offset before was from. Returns false where the document is
   * not to be followed.
   */
  onOpened: (reply: OpenedDocument, isSameLog: boolean) => boolean
  /** The content and the notices that followed it are applied. */
  onFollowing: () => void
  /** The document cannot be opened. */
  onRefused: (error: RealtimeError) => void
  onChange: () => void
}

/** Makes the feed of a document. */
export function createDocumentFeed(options: DocumentFeedOptions): DocumentFeed {
  const { internals, document, doc, ready, onOpened, onFollowing, onRefused, onChange } = options
  const { connection, onThrow } = internals
  const retry = createRetry(internals)
  let offset: string | undefined
  let isOpen = false
  /** The attempt that is in progress. */
  let opening: object | undefined
  /** The server did not have what pending structs need either. */
  let isLacking = false
  /** Notices that arrive while the content is fetched. */
  let held: Notices['document:updated'][] = []

  const apply = (update: Uint8Array): void => {
    if (update.length > EMPTY_BYTES) Y.applyUpdate(doc, update, REMOTE)
  }
  const fetchContent = async (attempt: object): Promise<void> => {
    await ready()
    if (opening !== attempt || !connection.up) return
    const epoch = offset?.split('-', 1)[0]
    // Updates before the offset are missing: the state vector shows which.
    const from = doc.store.pendingStructs === null ? offset : undefined
    const payload = { document, offset: from, stateVector: textOf(Y.encodeStateVector(doc)) }
    const reply = await request(connection, 'document:open', payload)
    const content = reply.transfer ? [await fetchTransfer(internals, document, reply.transfer)] : []
    if (reply.update) content.push(bytesOf(reply.update))
    if (opening !== attempt) return
    const isSameLog = epoch !== undefined && reply.offset.startsWith(`${epoch}-`)
    opened(reply, content, isSameLog)
  }
  const opened = (reply: OpenedDocument, content: readonly Uint8Array[], isSameLog: boolean): void => {
    opening = undefined
    retry.reset()
    if (!onOpened(reply, isSameLog)) {
      held = []
      isOpen = false
      return connection.request('document:close', { document }, () => {})
    }
    for (const update of content) apply(update)
    offset = reply.offset
    isOpen = true
    isLacking = doc.store.pendingStructs !== null
    const notices = held
    held = []
    for (const notice of notices) updated(notice)
    onFollowing()
  }
  const failed = (thrown: unknown): void => {
    opening = undefined
    if (!(thrown instanceof RealtimeError)) return onThrow(thrown)
    if (mayRepeat(thrown)) retry.plan(open, thrown.retryAfterMs)
    else onRefused(thrown)
  }
  const open = (): void => {
    if (opening !== undefined || !connection.up) return
    const attempt = {}
    opening = attempt
    fetchContent(attempt).then(
      // The connection was lost meanwhile.
      () => void (opening === attempt && (opening = undefined)),
      (thrown: unknown) => void (opening === attempt && failed(thrown)),
    )
  }
  const updated = (notice: Notices['document:updated']): void => {
    if (opening !== undefined) return void held.push(notice)
    if (!isOpen || offset === undefined) return
    const [epoch = '', number = ''] = notice.offset.split('-')
    const [ownEpoch, ownNumber = ''] = offset.split('-')
    if (epoch === ownEpoch && Number.parseInt(number, 36) <= Number.parseInt(ownNumber, 36)) return
    // A notice was missed, or the update is too long for one.
    if (notice.previous !== offset || notice.update === undefined) return open()
    offset = notice.offset
    apply(bytesOf(notice.update))
    // Updates that build on ones that are missing. Where no instance has these, not each update requests them again.
    if (doc.store.pendingStructs !== null) {
      if (!isLacking) open()
      else if (!retry.waiting) retry.plan(open)
    }
    onChange()
  }

  return {
    get offset() {
      return offset
    },
    get isOpen() {
      return isOpen
    },
    restore: (known) => {
      offset ??= known
    },
    open,
    end: () => {
      isOpen = false
      opening = undefined
      held = []
    },
    updated,
    dispose: () => {
      retry.reset()
      if (!isOpen && opening === undefined) return
      opening = undefined
      isOpen = false
      connection.request('document:close', { document }, () => {})
    },
  }
}
