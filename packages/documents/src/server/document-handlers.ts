import type { LogPosition } from '@tutti/coordination/logs'
import { RealtimeError, type OpenedDocument, type Requests, type WireBytes } from '@tutti/protocol'
import { documentCloseSchema, documentOpenSchema, documentPartSchema, documentUpdateSchema } from '@tutti/protocol/internal/schemas'
import {
  BINARY,
  defineHandler,
  offsetText,
  parseOffset,
  PlacedReply,
  type Connection,
  type Core,
  type Handler,
} from '@tutti/server/internal'
import { bytesOf, textOf } from '../base64.ts'
import { checkStateVector, checkUpdate } from '../crdt.ts'
import type { LiveDocument } from '../live-document.ts'
import { checkDocumentSize } from './check-document-size.ts'
import { contentFor, isBehind } from './content-for.ts'
import { readDocument, writeDocument } from './document-access.ts'
import type { OpenDocuments } from './open-documents.ts'
import type { Transfers } from './transfers.ts'

/** Bytes up to which base64 in a text frame costs less than a binary frame of its own. */
export const TEXT_BYTES = 8_192

/** What the handlers need. */
export interface DocumentHandlersOptions {
  core: Core
  documents: OpenDocuments
  transfers: Transfers
  maxUpdateBytes: number
  maxDocumentBytes: number
  /** Nothing of the document follows for the connection. */
  close: (connection: Connection, document: string) => void
}

/** The same for a reply, which is encoded for one client alone. */
const REPLY_TEXT_BYTES = 1_024

/** Bytes as they are sent. */
export const wireBytes = (bytes: Uint8Array, textBytes: number = TEXT_BYTES): WireBytes =>
  bytes.length <= textBytes ? textOf(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)

/** The handlers of `document:*`. */
export function createDocumentHandlers(options: DocumentHandlersOptions): Handler[] {
  const { core, documents, transfers, maxUpdateBytes, maxDocumentBytes, close } = options

  const isWriter = async (connection: Connection, document: string): Promise<boolean> =>
    !('refusal' in (await core.access.decide(connection, writeDocument(document))))

  const open = async (connection: Connection, payload: Requests['document:open']['payload']): Promise<PlacedReply<OpenedDocument>> => {
    const { document } = payload
    const from = payload.offset === undefined ? undefined : parseOffset(payload.offset)
    const stateVector = payload.stateVector === undefined ? undefined : bytesOf(payload.stateVector)
    if (stateVector !== undefined) checkStateVector(stateVector)
    return documents.open(connection, document, async (live) => {
      const write = await isWriter(connection, document)
      if (isBehind(live, { from, stateVector })) await live.check()
      if (from !== undefined) await live.recall(from)
      const opened: OpenedDocument = { offset: '', stateVector: '', write }
      // What arrives until the reply is part of it, and what arrives after it follows in the room.
      const before = (): void => {
        const { snapshot, update } = contentFor(live, { from, stateVector })
        opened.offset = offsetText(live.position)
        opened.stateVector = wireBytes(live.replica.stateVector(), REPLY_TEXT_BYTES)
        if (update !== undefined) opened.update = wireBytes(update, REPLY_TEXT_BYTES)
        if (snapshot !== undefined) opened.transfer = { id: transfers.offer(connection.id, snapshot), bytes: snapshot.length }
      }
      return new PlacedReply(opened, { before, after: () => documents.follow(connection, document), encoding: BINARY })
    })
  }

  const updateOf = (connection: Connection, { update, transfer }: Requests['document:update']['payload']): Uint8Array => {
    if (transfer !== undefined) return transfers.take(connection.id, transfer)
    if (update !== undefined) return bytesOf(update)
    throw new RealtimeError('INVALID_MESSAGE', { message: 'document:update requires `update` or `transfer`.' })
  }
  const append = async (connection: Connection, live: LiveDocument, update: Uint8Array): Promise<LogPosition> => {
    if (update.length > maxUpdateBytes) {
      throw new RealtimeError('TOO_LARGE', {
        message: `The update of ${live.id} has ${update.length} bytes. The limit is ${maxUpdateBytes} (maxUpdateBytes).`,
      })
    }
    checkUpdate(update)
    checkDocumentSize(live, update, maxDocumentBytes)
    return live.append(update, { user: connection.user, connection: connection.id })
  }

  return [
    defineHandler(
      'document:open',
      documentOpenSchema,
      ({ document }) => [readDocument(document)],
      (payload, connection) => open(connection, payload),
    ),
    defineHandler(
      'document:close',
      documentCloseSchema,
      () => [],
      ({ document }, connection) => {
        close(connection, document)
        return {}
      },
    ),
    defineHandler(
      'document:update',
      documentUpdateSchema,
      ({ document }) => [writeDocument(document)],
      async (payload, connection) => {
        const { document } = payload
        const update = updateOf(connection, payload)
        const live = documents.find(connection, document)
        if (live === undefined) {
          throw new RealtimeError('INVALID_MESSAGE', { message: `The document ${document} is not open on this connection.` })
        }
        return { offset: offsetText(await append(connection, live, update)) }
      },
    ),
    defineHandler(
      'document:part',
      documentPartSchema,
      // The right was needed for what offered the transfer, and is needed for what uses it.
      () => [],
      ({ transfer, index, bytes }, connection) => {
        if (bytes === undefined) {
          const part = transfers.part(connection.id, transfer, index)
          return new PlacedReply({ ...part, bytes: wireBytes(part.bytes) }, { encoding: BINARY })
        }
        transfers.receive(connection.id, transfer, index, bytesOf(bytes))
        return {}
      },
    ),
  ]
}
