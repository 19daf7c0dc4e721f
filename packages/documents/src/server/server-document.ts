import { RealtimeError } from '@tutti/protocol'
import { createDraft, type Doc } from '../crdt.ts'
import type { LiveDocument } from '../live-document.ts'
import { checkDocumentSize } from './check-document-size.ts'

/** A document as server code uses it. */
export interface ServerDocument {
  readonly id: string
  /** The plain text, with all edits that this instance has received. */
  text(): string
  /**
   * Changes the document on every instance and client. Settles when the edit is in the log.
   *
   * @throws {RealtimeError} `TOO_LARGE`, `UNAVAILABLE`, `OUTCOME_UNKNOWN`, `CLOSED`.
   * @example
   * await notes.edit((doc) => doc.getText('text').insert(0, 'Hello'))
   */
  edit(change: (doc: Doc) => void): Promise<void>
  /** Idempotent. Lets the document leave memory when no client has it open. */
  close(): void
}

/** What server code edits as. */
const SERVER_AUTHOR = { user: '', connection: '' }

/** What a document of server code needs. */
export interface ServerDocumentOptions {
  live: LiveDocument
  maxDocumentBytes: number
  onClose: () => void
}

/** Makes the document of server code from a live one, which is released by `onClose`. */
export function createServerDocument({ live, maxDocumentBytes, onClose }: ServerDocumentOptions): ServerDocument {
  let draft = createDraft()
  let isClosed = false
  let last: Promise<unknown> = Promise.resolve()

  const change = async (run: (doc: Doc) => void): Promise<void> => {
    if (isClosed) throw new RealtimeError('CLOSED')
    try {
      const update = draft.change(live.replica, run)
      if (update === undefined) return
      checkDocumentSize(live, update, maxDocumentBytes)
      const { offset } = await live.append(update, SERVER_AUTHOR)
      if (live.position.offset < offset) await live.check()
    } catch (error) {
      // The draft has an edit that the log may not have.
      draft.destroy()
      draft = createDraft()
      throw error
    }
  }
  return {
    id: live.id,
    text: () => {
      if (isClosed) throw new RealtimeError('CLOSED')
      return live.replica.text()
    },
    // One after another: each builds on the one before.
    edit: (run) => {
      const edit = last.then(() => change(run))
      last = edit.catch(() => {})
      return edit
    },
    close: () => {
      if (isClosed) return
      isClosed = true
      void last.then(() => draft.destroy())
      onClose()
    },
  }
}
