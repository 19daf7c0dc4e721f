import { mkdirSync } from 'node:fs'
import { parseOptions, text, type OptionRows } from '@tutti/protocol/internal'
import type { DocumentStore } from './document-store.ts'
import { createDrizzleStore } from './drizzle-store.ts'
import { MIGRATIONS_FOLDER } from '../migrations.ts'

/** Options of a store in the process. */
export interface PgliteStoreOptions {
  /** The folder of the database; created if it does not exist. Only one process may use it at a time. @default in memory */
  folder?: string | undefined
}

const OPTIONS = { folder: text(undefined) } satisfies OptionRows<PgliteStoreOptions>

/**
 * Stores documents in PGlite: PostgreSQL inside this process, with nothing to install. For one instance.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 */
export function pgliteStore(options: PgliteStoreOptions = {}): DocumentStore {
  const { folder } = parseOptions('pgliteStore', OPTIONS, options)
  return createDrizzleStore(async () => {
    const [{ PGlite }, { drizzle }, { migrate }] = await Promise.all([
      import('@electric-sql/pglite'),
      import('drizzle-orm/pglite'),
      import('drizzle-orm/pglite/migrator'),
    ])
    // PGlite itself creates no folders above it.
    if (folder !== undefined) mkdirSync(folder, { recursive: true })
    const client = new PGlite(folder)
    const database = drizzle({ client })
    try {
      await migrate(database, { migrationsFolder: MIGRATIONS_FOLDER, migrationsSchema: 'tutti' })
    } catch (error) {
      await client.close().catch(() => {})
      throw error
    }
    return { database, end: () => client.close() }
  })
}
