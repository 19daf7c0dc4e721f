import type { Access } from '@tutti/server/internal'

/** The room of the connections that have a document open. */
export const documentRoom = (document: string): string => `$document:${document}`

/** To open a document. */
export const readDocument = (document: string): Access => ({ action: 'document:read', target: { document } })

/** To change a document. */
export const writeDocument = (document: string): Access => ({ action: 'document:write', target: { document } })
