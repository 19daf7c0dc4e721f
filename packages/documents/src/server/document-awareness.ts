import type { AwarenessState } from '@tutti/protocol'
import { RealtimeError } from '@tutti/protocol'
import { byteLength } from '@tutti/protocol/internal'
import { documentAwarenessSchema } from '@tutti/protocol/internal/schemas'
import { defineHandler, type Connection, type Core, type Handler } from '@tutti/server/internal'
import { createAwarenessRoom, type AwarenessRoom } from './awareness-room.ts'
import { documentRoom, readDocument } from './document-access.ts'

/** What clients show in documents, on one server (D7): never stored, and ended with their connections. */
export interface DocumentAwareness {
  /** The handler of `document:awareness`. */
  readonly handler: Handler
  /** The connection reads slowly. */
  defer(connection: Connection): void
  /** The connection has closed a document. */
  leave(connection: Connection, document: string): void
  close(): void
}

/** What it needs. */
export interface DocumentAwarenessOptions {
  core: Core
  maxAwarenessBytes: number
  onError: (error: unknown, document: string) => void
}

/** Makes the awareness of one server. It follows a document while a connection of this instance shows or receives states there. */
export function createDocumentAwareness({ core, maxAwarenessBytes, onError }: DocumentAwarenessOptions): DocumentAwareness {
  const { coordination, fanOut } = core
  const rooms = new Map<string, AwarenessRoom>()

  const roomOf = (document: string): AwarenessRoom => {
    const found = rooms.get(document)
    if (found !== undefined) return found
    if (coordination === undefined) {
      throw new RealtimeError('UNSUPPORTED', { message: 'Awareness of documents is off. It needs the option `coordination`.' })
    }
    const made: AwarenessRoom = createAwarenessRoom({
      ...{ document, fanOut },
      members: coordination.members(`$document:${document}`),
      onError: (error) => onError(error, document),
      onUnused: () => {
        if (rooms.get(document) === made) rooms.delete(document)
        made.close()
      },
    })
    rooms.set(document, made)
    return made
  }
  const show = async (connection: Connection, document: string, state: AwarenessState): Promise<object> => {
    if (!connection.subscriptions.has(documentRoom(document))) {
      throw new RealtimeError('INVALID_MESSAGE', { message: `The document ${document} is not open on this connection.` })
    }
    const size = byteLength(JSON.stringify(state.state))
    if (size > maxAwarenessBytes) {
      throw new RealtimeError('TOO_LARGE', {
        message: `The awareness state for ${document} has ${size} bytes. The limit is ${maxAwarenessBytes} (maxAwarenessBytes).`,
      })
    }
    await roomOf(document).show(connection, state)
    return {}
  }
  return {
    handler: defineHandler(
      'document:awareness',
      documentAwarenessSchema,
      ({ document }) => [readDocument(document)],
      ({ document, client, state }, connection) => show(connection, document, { client, state }),
    ),
    defer: (connection) => {
      for (const room of rooms.values()) room.defer(connection)
    },
    leave: (connection, document) => rooms.get(document)?.leave(connection),
    close: () => {
      for (const room of rooms.values()) room.close()
      rooms.clear()
    },
  }
}
