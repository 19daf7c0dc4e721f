import type { Connection } from '../connection/connection.ts'

/**
 * Names the author of an event: the client, across reconnects, or the connection where it has no `clientId`. A `clientId` has no `:`,
 * so no user can be taken for another one. Never sent to clients.
 */
export const authorOf = ({ clientId = '', user, id }: Pick<Connection, 'clientId' | 'user' | 'id'>): string =>
  clientId === '' ? `:${id}` : `${clientId}:${user}`

/** The connections of this instance, by author. */
export interface Authors {
  add(connection: Connection): void
  delete(connection: Connection): void
  /** Ids of the connections of an author. */
  idsOf(author: string): readonly string[]
}

/** Makes the list. */
export function createAuthors(): Authors {
  const ids = new Map<string, Set<string>>()
  return {
    add: (connection) => {
      const author = authorOf(connection)
      ids.set(author, (ids.get(author) ?? new Set()).add(connection.id))
    },
    delete: (connection) => {
      const author = authorOf(connection)
      const own = ids.get(author)
      if (own?.delete(connection.id) === true && own.size === 0) ids.delete(author)
    },
    // A connection without a `clientId` need not be in the list.
    idsOf: (author) => (author.startsWith(':') ? [author.slice(1)] : [...(ids.get(author) ?? [])]),
  }
}
