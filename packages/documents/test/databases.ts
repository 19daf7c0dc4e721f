import { startPostgres } from '@tutti/test-kit'
import { pgliteStore, postgresStore, type DocumentStore } from '../src/server/index.ts'

/** A database of documents in a test. */
export interface TestDatabase {
  readonly store: DocumentStore
  /** Closes the store and ends the database. */
  stop(): Promise<void>
}

/** The databases that all tests of documents run on (D9). */
export const DATABASES: readonly [title: string, start: () => Promise<TestDatabase>][] = [
  [
    'PGlite',
    async () => {
      const store = pgliteStore()
      await store.ready
      return { store, stop: () => store.close() }
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const postgres = await startPostgres()
      const store = postgresStore({ url: await postgres.createDatabase() })
      await store.ready
      const stop = async (): Promise<void> => {
        await store.close()
        await postgres.stop()
      }
      return { store, stop }
    },
  ],
]
