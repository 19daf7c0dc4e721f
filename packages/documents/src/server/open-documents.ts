import { RealtimeError } from '@tutti/protocol'
import type { Connection } from '@tutti/server/internal'
import type { LiveDocument } from '../live-document.ts'
import type { LiveDocuments } from '../live-documents.ts'
import { documentRoom } from './document-access.ts'

/** The documents that the connections of this instance have open, or are about to: each connection holds such a document once. */
export interface OpenDocuments {
  /**
   * Opens a document for a connection; `prepare` completes it. A failure closes it again, unless it was open before.
   *
   * @throws {RealtimeError} `TOO_MANY_SUBSCRIPTIONS`, `CLOSED` where it was closed meanwhile; rejects as `LiveDocuments.hold` and
   * `prepare` do.
   */
  open<Result>(connection: Connection, document: string, prepare: (live: LiveDocument) => Promise<Result>): Promise<Result>
  /** What follows in the document reaches the connection, if it is still open. */
  follow(connection: Connection, document: string): void
  /** The document, if the connection has it open. */
  find(connection: Connection, document: string): LiveDocument | undefined
  /** Nothing of the document follows. Idempotent. */
  close(connection: Connection, document: string): void
  /** The documents that a connection has open, or is about to. */
  namesOf(connection: Connection): readonly string[]
}

/** Makes the set of one instance. */
export function createOpenDocuments(documents: LiveDocuments): OpenDocuments {
  /** What a connection holds, by document. */
  const byConnection = new Map<Connection, Map<string, Promise<LiveDocument>>>()

  const holdOf = (connection: Connection, document: string): Promise<LiveDocument> | undefined =>
    byConnection.get(connection)?.get(document)
  const hold = (connection: Connection, document: string): Promise<LiveDocument> => {
    connection.subscriptions.add([documentRoom(document)])
    const held = documents.hold(document)
    const own = byConnection.get(connection) ?? new Map<string, Promise<LiveDocument>>()
    byConnection.set(connection, own.set(document, held))
    return held
  }
  const close = (connection: Connection, document: string): void => {
    const own = byConnection.get(connection)
    const held = own?.get(document)
    if (own === undefined || held === undefined) return
    own.delete(document)
    if (own.size === 0) byConnection.delete(connection)
    connection.subscriptions.delete(documentRoom(document))
    connection.leave(documentRoom(document))
    held.then(
      () => documents.release(document),
      // A hold that failed is none.
      () => {},
    )
  }
  return {
    open: async (connection, document, prepare) => {
      if (!connection.connected) throw closedError(document)
      const known = holdOf(connection, document)
      const held = known ?? hold(connection, document)
      const isOpen = (): boolean => holdOf(connection, document) === held
      try {
        const result = await prepare(await held)
        if (!isOpen()) throw closedError(document)
        return result
      } catch (error) {
        if (known === undefined && isOpen()) close(connection, document)
        throw error
      }
    },
    follow: (connection, document) => {
      if (holdOf(connection, document) !== undefined) connection.join(documentRoom(document))
    },
    find: (connection, document) => (holdOf(connection, document) === undefined ? undefined : documents.find(document)),
    close,
    namesOf: (connection) => [...(byConnection.get(connection)?.keys() ?? [])],
  }
}

const closedError = (document: string): RealtimeError =>
  new RealtimeError('CLOSED', { message: `The document ${document} was closed while it was opened.` })
