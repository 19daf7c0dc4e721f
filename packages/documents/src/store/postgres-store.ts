import { setTimeout as wait } from 'node:timers/promises'
import { parseOptions, required, text, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { sql } from 'drizzle-orm'
import type { ClientConfig } from 'pg'
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

/** How long the end waits for queries that run, milliseconds. */
const END_MS = 5_000

/**
 * Stores documents in PostgreSQL, version 15 or later. For any number of instances.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 */
export function postgresStore(options: PostgresStoreOptions): DocumentStore {
  const { url, maxConnections, connectTimeoutSeconds } = parseOptions('postgresStore', OPTIONS, options)
  const settings = { connectionString: url, connectionTimeoutMillis: connectTimeoutSeconds * 1_000 }
  return createDrizzleStore(async () => {
    const [{ default: pg }, { drizzle }] = await Promise.all([import('pg'), import('drizzle-orm/node-postgres')])
    await migrateOnce(settings)
    const pool = new pg.Pool({ ...settings, max: maxConnections })
    pool.on('error', ignore).on('connect', (client) => void client.on('error', ignore))
    const end = (): Promise<void> => Promise.race([pool.end(), wait(END_MS, undefined, { ref: false })])
    return { database: drizzle({ client: pool }), end }
  })
}

/** A lost connection fails its query. Without a listener it would end the process too. */
const ignore = (): void => {}

/** The lock belongs to the one connection, and ends with it. */
async function migrateOnce(settings: ClientConfig): Promise<void> {
  const [{ default: pg }, { drizzle }, { migrate }] = await Promise.all([
    import('pg'),
    import('drizzle-orm/node-postgres'),
    import('drizzle-orm/node-postgres/migrator'),
  ])
  const client = new pg.Client(settings)
  client.on('error', ignore)
  try {
    await client.connect()
    const database = drizzle({ client })
    await database.execute(sql`select pg_advisory_lock(${MIGRATION_LOCK})`)
    await migrate(database, { migrationsFolder: MIGRATIONS_FOLDER, migrationsSchema: 'tutti' })
  } finally {
    await client.end()
  }
}
