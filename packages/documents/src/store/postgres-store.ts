import { parseOptions, required, text, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { sql } from 'drizzle-orm'
import type { Options } from 'postgres'
import type { DocumentStore } from './document-store.ts'
import { createDrizzleStore } from './drizzle-store.ts'
import { MIGRATIONS_FOLDER } from '../migrations.ts'

/** Options of a store on a PostgreSQL server. */
export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database`. */
  url: string
  /** Connections at most. @default 10 */
  maxConnections?: number | undefined
  /** Time limit of a connection attempt, seconds. @default 10 */
  connectTimeoutSeconds?: number | undefined
}

const OPTIONS = {
  url: required(text(undefined)),
  maxConnections: wholeNumber(1, 10),
  connectTimeoutSeconds: wholeNumber(1, 10),
} satisfies OptionRows<PostgresStoreOptions>

/** Names the lock under which instances that start together run the migrations one after another. */
const MIGRATION_LOCK = 7_482_913_556

/**
 * Stores documents in PostgreSQL, version 15 or later. For any number of instances.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 */
export function postgresStore(options: PostgresStoreOptions): DocumentStore {
  const { url, maxConnections, connectTimeoutSeconds } = parseOptions('postgresStore', OPTIONS, options)
  // The types of arrays are not needed. Postgres.js requests them on each connection, and where the connection is lost meanwhile
  // it leaves a rejected promise without a handler, which ends the process (https://github.com/porsager/postgres/issues/1192).
  const settings = { connect_timeout: connectTimeoutSeconds, onnotice: () => {}, fetch_types: false }
  return createDrizzleStore(async () => {
    const [{ default: postgres }, { drizzle }] = await Promise.all([import('postgres'), import('drizzle-orm/postgres-js')])
    await migrateOnce(url, settings)
    const client = postgres(url, { ...settings, max: maxConnections })
    return { database: drizzle({ client }), end: () => client.end({ timeout: 5 }) }
  })
}

/** The lock belongs to the one connection, and ends with it. */
async function migrateOnce(url: string, settings: Options<Record<string, never>>): Promise<void> {
  const [{ default: postgres }, { drizzle }, { migrate }] = await Promise.all([
    import('postgres'),
    import('drizzle-orm/postgres-js'),
    import('drizzle-orm/postgres-js/migrator'),
  ])
  const client = postgres(url, { ...settings, max: 1 })
  try {
    const database = drizzle({ client })
    await database.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`)
    await migrate(database, { migrationsFolder: MIGRATIONS_FOLDER, migrationsSchema: 'tutti' })
  } finally {
    // No query is open. After a lost connection, Postgres.js would wait for the whole time.
    await client.end({ timeout: 0 })
  }
}
