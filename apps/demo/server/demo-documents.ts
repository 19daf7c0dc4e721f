import { createDocuments, pgliteStore, postgresStore, type Documents } from '@tutti/documents/server'
import { GUIDE } from '../app/shared-state.ts'
import { lazyStore } from './lazy-store.ts'

/**
 * The documents, in PostgreSQL with `DATABASE_URL`. Otherwise in PGlite in the folder, which one process can use at a time;
 * `undefined` without a folder.
 */
export function demoDocuments(folder: string | undefined): Documents | undefined {
  const url = process.env['DATABASE_URL']
  if (url) return createDocuments({ store: postgresStore({ url }), seed })
  // PGlite takes seconds to start: not before a document is opened.
  return folder === undefined ? undefined : createDocuments({ store: lazyStore(() => pgliteStore({ folder })), seed })
}

/** With Redis, the database of documents is one that all instances share. */
export const hasDocuments = (): boolean => !process.env['REDIS_URL'] || Boolean(process.env['DATABASE_URL'])

const seed = (id: string): string | undefined => (id === GUIDE ? GUIDE_TEXT : undefined)

const GUIDE_TEXT = `Welcome to the rehearsal room.

1. Each document is one text. Everyone who has it open can type at the same time, and nobody overwrites anybody.
2. Lost the connection? Keep typing. Your changes are kept, and merged when you are back.
3. Undo takes back what you typed, and leaves what others typed.
4. Please do not move the harpsichord.

Guests can read these rules. Sign in to change them.
`
