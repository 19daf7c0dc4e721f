import { RealtimeError, type DocumentContent } from '@tutti/protocol'
import { documentPageSchema, documentSaveVersionSchema, documentVersionSchema } from '@tutti/protocol/internal/schemas'
import { BINARY, defineHandler, offsetText, PlacedReply, type Connection, type Handler } from '@tutti/server/internal'
import { restoreUpdate } from '../crdt.ts'
import type { LiveDocument } from '../live-document.ts'
import type { LiveDocuments } from '../live-documents.ts'
import type { DocumentStore } from '../store/document-store.ts'
import { checkDocumentSize } from './check-document-size.ts'
import { readDocument, writeDocument } from './document-access.ts'
import { wireBytes } from './document-handlers.ts'
import { PART_BYTES, type Transfers } from './transfers.ts'

/** Rows of a page. */
const PAGE_ROWS = 100

/** What the handlers need. */
export interface VersionHandlersOptions {
  documents: LiveDocuments
  store: DocumentStore
  transfers: Transfers
  maxDocumentBytes: number
  maxVersions: number
}

/** The handlers of the version history of documents (D12). */
export function createVersionHandlers({ documents, store, transfers, maxDocumentBytes, maxVersions }: VersionHandlersOptions): Handler[] {
  /** The rows of a page, and whether others follow. */
  const pageOf = <Row, Wire>(rows: readonly Row[], onWire: (row: Row) => Wire): { rows: Wire[]; more?: true } => ({
    rows: rows.slice(0, PAGE_ROWS).map(onWire),
    ...(rows.length > PAGE_ROWS && { more: true as const }),
  })
  const unknown = (document: string, version: number): RealtimeError =>
    new RealtimeError('INVALID_MESSAGE', { message: `The document ${document} has no version ${version}.` })
  const bytesOfVersion = async (document: string, version: number): Promise<Uint8Array> => {
    const bytes = await store.readVersion(document, version)
    if (bytes !== undefined) return bytes
    throw unknown(document, version)
  }
  const contentOf = (connection: Connection, bytes: Uint8Array): DocumentContent =>
    bytes.length <= PART_BYTES
      ? { update: wireBytes(bytes) }
      : { transfer: { id: transfers.offer(connection.id, bytes), bytes: bytes.length } }
  /** Runs with the document in memory, also if no connection has it open. */
  const withDocument = async <Result>(document: string, run: (live: LiveDocument) => Promise<Result>): Promise<Result> => {
    const live = await documents.hold(document)
    try {
      // An update can be acknowledged before it has reached the replica.
      await live.check()
      return await run(live)
    } finally {
      documents.release(document)
    }
  }
  const save = (document: string, name: string, author: string): Promise<number> =>
    withDocument(document, async (live) => {
      await store.create({ id: document })
      if (maxVersions === 0 || (await store.versions(document, { limit: maxVersions })).length === maxVersions) {
        throw new RealtimeError('TOO_LARGE', {
          message: `Not saved: the document ${document} may have ${maxVersions} versions (maxVersions).`,
        })
      }
      return store.addVersion({ document, name, author, offset: live.position.offset, bytes: live.replica.encode() })
    })
  const restore = (document: string, version: number, user: string): Promise<string> =>
    withDocument(document, async (live) => {
      const update = restoreUpdate(live.replica, await bytesOfVersion(document, version))
      if (update === undefined) return offsetText(live.position)
      checkDocumentSize(live, update, maxDocumentBytes)
      // No connection has made it: all receive it, also the one that has requested it.
      return offsetText(await live.append(update, { user, connection: '' }))
    })

  return [
    defineHandler(
      'document:versions',
      documentPageSchema,
      ({ document }) => [readDocument(document)],
      async ({ document, before }) => {
        const found = await store.versions(document, { limit: PAGE_ROWS + 1, before })
        const { rows, ...more } = pageOf(found, ({ id, name, author, createdAt }) => ({ id, name, author, at: createdAt.getTime() }))
        return { versions: rows, ...more }
      },
    ),
    defineHandler(
      'document:history',
      documentPageSchema,
      ({ document }) => [readDocument(document)],
      async ({ document, before }) => {
        const found = await store.history(document, { limit: PAGE_ROWS + 1, before })
        const { rows, ...more } = pageOf(found, ({ offset, authors, createdAt }) => ({
          offset,
          authors: [...authors],
          at: createdAt.getTime(),
        }))
        return { changes: rows, ...more }
      },
    ),
    defineHandler(
      'document:version',
      documentVersionSchema,
      ({ document }) => [readDocument(document)],
      async ({ document, version }, connection) =>
        new PlacedReply(contentOf(connection, await bytesOfVersion(document, version)), { encoding: BINARY }),
    ),
    defineHandler(
      'document:save',
      documentSaveVersionSchema,
      ({ document }) => [writeDocument(document)],
      async ({ document, name }, { user }) => ({ id: await save(document, name, user) }),
    ),
    defineHandler(
      'document:restore',
      documentVersionSchema,
      ({ document }) => [writeDocument(document)],
      async ({ document, version }, { user }) => ({ offset: await restore(document, version, user) }),
    ),
    defineHandler(
      'document:remove',
      documentVersionSchema,
      ({ document }) => [writeDocument(document)],
      async ({ document, version }) => {
        if (!(await store.removeVersion(document, version))) throw unknown(document, version)
        return {}
      },
    ),
  ]
}
