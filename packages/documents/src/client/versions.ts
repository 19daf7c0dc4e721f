import type { RealtimeClient } from '@tutti/client'
import type { Connection } from '@tutti/client/internal'
import { parseDocument, RealtimeError } from '@tutti/protocol'
import { applyUpdate, Doc } from 'yjs'
import { document, type RealtimeDocument } from './document.ts'
import { request } from './request.ts'
import { bytesOf, fetchTransfer } from './transfer.ts'

/** A named version of a document. */
export interface DocumentVersion {
  readonly id: number
  readonly name: string
  /** The id of the user that saved it. */
  readonly author: string
  /** Milliseconds since 1970. */
  readonly at: number
}

/** A stored change of a document: what arrived within one write to the database. */
export interface DocumentChange {
  readonly offset: number
  /** The ids of the users that made it. '': server code. */
  readonly authors: readonly string[]
  /** Milliseconds since 1970. */
  readonly at: number
}

/** A page of a list, newest first. */
export interface Page<Row> {
  readonly rows: readonly Row[]
  /** Older rows follow. */
  readonly hasMore: boolean
}

/** The version history of a document. All methods but `save` reject with `UNAVAILABLE` without a connection. */
export interface DocumentVersions {
  /**
   * Up to 100 named versions, newest first. `before`: the id of the last version of the page before.
   *
   * @throws {RealtimeError} `FORBIDDEN`, `UNAVAILABLE`, `OUTCOME_UNKNOWN`.
   */
  list(options?: { before?: number | undefined }): Promise<Page<DocumentVersion>>
  /**
   * The users that changed the document, and when: up to 100 stored changes, newest first. `before`: the offset of the last change of
   * the page before.
   *
   * @throws {RealtimeError} `FORBIDDEN`, `UNAVAILABLE`, `OUTCOME_UNKNOWN`.
   */
  changes(options?: { before?: number | undefined }): Promise<Page<DocumentChange>>
  /**
   * Names the state of the document, once the server has all edits of this client: offline, after the reconnect. `name` has 1 to 200
   * characters. Returns the id of the version.
   *
   * @throws {RealtimeError} `FORBIDDEN`, `INVALID_MESSAGE` for another name, `TOO_LARGE` (`maxVersions`), `UNAVAILABLE`,
   * `OUTCOME_UNKNOWN`, `CLOSED`.
   */
  save(name: string): Promise<number>
  /**
   * A version as a document of its own, which is not shared.
   *
   * @throws {RealtimeError} `FORBIDDEN`, `INVALID_MESSAGE` without such a version, `UNAVAILABLE`, `OUTCOME_UNKNOWN`.
   */
  read(version: number): Promise<Doc>
  /**
   * Gives the document the content of a version, by a new edit: nothing of the history is lost, and edits that others make meanwhile
   * are kept.
   *
   * @throws {RealtimeError} `FORBIDDEN`, `INVALID_MESSAGE` without such a version, `TOO_LARGE`, `UNAVAILABLE`, `OUTCOME_UNKNOWN`.
   */
  restore(version: number): Promise<void>
  /**
   * Removes a version. The document and its history stay as they are.
   *
   * @throws {RealtimeError} `FORBIDDEN`, `INVALID_MESSAGE` without such a version, `UNAVAILABLE`, `OUTCOME_UNKNOWN`.
   */
  remove(version: number): Promise<void>
}

/**
 * The version history of a document.
 *
 * @throws {RealtimeError} `INVALID_DOCUMENT`.
 *
 * @example
 * const history = documentVersions(client, 'notes:1')
 * await history.save('Before the meeting')
 * const { rows } = await history.list()
 */
export function documentVersions(client: Pick<RealtimeClient, 'internals'>, id: string): DocumentVersions {
  parseDocument(id)
  const { connection } = client.internals
  return {
    list: async ({ before } = {}) => {
      const { versions, more } = await request(connection, 'document:versions', { document: id, before })
      return { rows: versions, hasMore: more === true }
    },
    changes: async ({ before } = {}) => {
      const { changes, more } = await request(connection, 'document:history', { document: id, before })
      return { rows: changes, hasMore: more === true }
    },
    save: async (name) => {
      const notes = document(client, id)
      try {
        await untilSynced(notes, connection)
        const saved = await request(connection, 'document:save', { document: id, name })
        return saved.id
      } finally {
        notes.dispose()
      }
    },
    read: async (version) => {
      const { update, transfer } = await request(connection, 'document:version', { document: id, version })
      const doc = new Doc()
      if (transfer !== undefined) applyUpdate(doc, await fetchTransfer(client.internals, id, transfer))
      else if (update !== undefined) applyUpdate(doc, bytesOf(update))
      return doc
    },
    restore: async (version) => void (await request(connection, 'document:restore', { document: id, version })),
    remove: async (version) => void (await request(connection, 'document:remove', { document: id, version })),
  }
}

/** Settles when the server has all edits of this client. Rejects if it refuses them, or if the connection is closed. */
function untilSynced(notes: RealtimeDocument, connection: Connection): Promise<void> {
  return new Promise((resolve, reject: (error: RealtimeError) => void) => {
    const stops: (() => void)[] = []
    const settle = (run: () => void): void => {
      for (const stop of stops) stop()
      run()
    }
    const check = (): void => {
      const { synced, error } = notes.current
      const { status, reason } = connection.current
      if (error !== undefined) settle(() => reject(error))
      else if (synced) settle(resolve)
      else if (status === 'closed') settle(() => reject(reason ?? new RealtimeError('CLOSED')))
    }
    stops.push(notes.subscribe(check), connection.subscribe(check))
    check()
  })
}
