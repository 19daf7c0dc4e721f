import type { Access, Connection } from '@tutti/server/internal'

const DOCUMENT = '$document:'

/** The room of the connections that have a document open. */
export const documentRoom = (document: string): string => `${DOCUMENT}${document}`

/** The document of a room, or `undefined` for other rooms. */
const documentOfRoom = (room: string): string | undefined => (room.startsWith(DOCUMENT) ? room.slice(DOCUMENT.length) : undefined)

/** To open a document. */
export const readDocument = (document: string): Access => ({ action: 'document:read', target: { document } })

/** To change a document. */
export const writeDocument = (document: string): Access => ({ action: 'document:write', target: { document } })

/** The documents that a connection has open. */
export const openDocumentsOf = ({ subscriptions }: Connection): string[] =>
  [...subscriptions.all].flatMap((room) => documentOfRoom(room) ?? [])
