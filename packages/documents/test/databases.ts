import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fillPglite, startPostgres } from '@tutti/test-kit'
import { pgliteStore, postgresStore, type DocumentStore } from '../src/server/index.ts'

/** A database of documents in a test. */
export interface TestDatabase {
  readonly store: DocumentStore
  /** Closes the store and ends the database. */
  stop(): Promise<void>
}

/** PGlite in memory, which takes 5 s of a processor to start: for the file that tests it. */
export async function startPgliteInMemory(): Promise<TestDatabase> {
  const store = pgliteStore()
  await store.ready
  return { store, stop: () => store.close() }
}

/** PGlite on a folder. */
export async function startPglite(): Promise<TestDatabase> {
  const root = await mkdtemp(join(tmpdir(), 'tutti-pglite-'))
  const folder = join(root, 'data')
  await fillPglite(folder, (made) => pgliteStore({ folder: made }))
  const store = pgliteStore({ folder })
  await store.ready
  const stop = async (): Promise<void> => {
    await store.close()
    await rm(root, { recursive: true })
  }
  return { store, stop }
}

/** PostgreSQL in a process of its own. */
export async function startPostgresql(): Promise<TestDatabase> {
  const postgres = await startPostgres()
  const store = postgresStore({ url: await postgres.createDatabase() })
  await store.ready
  const stop = async (): Promise<void> => {
    await store.close()
    await postgres.stop()
  }
  return { store, stop }
}
