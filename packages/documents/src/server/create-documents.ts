import { parseDocument, RealtimeError } from '@tutti/protocol'
import type { Core, Feature } from '@tutti/server/internal'
import type { LiveDocuments } from '../live-documents.ts'
import { parseDocumentsOptions, type DocumentsOptions } from './document-options.ts'
import { createServerDocument, type ServerDocument } from './server-document.ts'
import type { FailingDocument } from './store-task.ts'
import { createDocumentsFeature, type DocumentsFeature } from './documents-feature.ts'

/** Documents of a server: the option `documents` of `attachRealtime`. */
export interface Documents {
  /** Makes the feature of one server. */
  feature(core: Core): Feature
  /**
   * Opens a document for server code, once the server has started.
   *
   * @throws {RealtimeError} `INVALID_DOCUMENT`, `INVALID_OPTIONS` without a server, `UNAVAILABLE`, `CLOSED`.
   * @example
   * const notes = await documents.open('notes:1')
   * await notes.edit((doc) => doc.getText('text').insert(0, 'Hello'))
   * notes.close()
   */
  open(id: string): Promise<ServerDocument>
  /**
   * The documents of this instance whose writes the database refuses, while it accepts others. They can be read and edited, their edits are
   * kept in the log, and they are tried again every `retryMs`. Each instance tries the documents that it has open and lists those alone:
   * the list of a cluster is that of all its instances together.
   */
  failing(): readonly FailingDocument[]
}

/**
 * Makes the documents of one server.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 */
export function createDocuments(options: DocumentsOptions): Documents {
  const settings = parseDocumentsOptions(options)
  let documents: LiveDocuments | undefined
  let failing: DocumentsFeature['failing'] | undefined
  let isClosed = false
  return {
    feature: (core) => {
      const { live, feature, ...task } = createDocumentsFeature(core, settings)
      documents = live
      failing = task.failing
      const close = async (): Promise<void> => {
        isClosed = true
        await feature.close?.()
      }
      return { ...feature, close }
    },
    failing: () => [...(failing?.values() ?? [])],
    open: async (id) => {
      parseDocument(id)
      if (isClosed) throw new RealtimeError('CLOSED')
      const opened = documents
      if (opened === undefined) {
        throw new RealtimeError('INVALID_OPTIONS', {
          message: 'No server has these documents: pass them to attachRealtime as the option `documents` first.',
        })
      }
      const { maxDocumentBytes } = settings
      return createServerDocument({ live: await opened.hold(id), maxDocumentBytes, onClose: () => opened.release(id) })
    },
  }
}
