import { and, desc, eq, gt, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core'
import { pageLimit } from './page-limit.ts'
import type { DocumentStore, UpdateBatch } from './document-store.ts'
import { databaseFailure, isConflict } from './database-failure.ts'
import { documents, updates, versions } from './tables.ts'

/** A database with the tables of `tables.ts`, on any driver. */
export type Database = PgDatabase<PgQueryResultHKT>

/** Attempts of a query whose transaction met another one. */
const MAX_ATTEMPTS = 3

/** Updates that are read at once for a client that reconnects. */
const MAX_UPDATES = 10_000

/** A database that is open, with its tables. */
export interface OpenDatabase {
  readonly database: Database
  /** Ends the connections to it. */
  end(): Promise<void>
}

/**
 * Creates a store on any database that Drizzle reaches. `open` loads the driver, so that only the one in use has to be installed, and
 * creates the tables; it runs again where it failed.
 */
export function createDrizzleStore(open: () => Promise<OpenDatabase>): DocumentStore {
  let opening: Promise<OpenDatabase> | undefined
  let closing: Promise<void> | undefined

  const opened = (): Promise<OpenDatabase> =>
    (opening ??= open().catch((error: unknown) => {
      // The database was not available: the next call tries again.
      if (closing === undefined) opening = undefined
      throw databaseFailure(error)
    }))
  const ready = opened().then(() => {})
  // Each call reports the failure.
  ready.catch(() => {})

  const run = async <Result>(query: (database: Database) => Promise<Result>): Promise<Result> => {
    const { database } = await opened()
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await query(database)
      } catch (error) {
        if (attempt === MAX_ATTEMPTS || !isConflict(error)) throw databaseFailure(error)
      }
    }
  }
  const touched = { updatedAt: sql`now()` }

  return {
    ready,
    create: ({ id, title = '' }) =>
      run(async (database) => {
        const created = await database.insert(documents).values({ id, title }).onConflictDoNothing().returning({ id: documents.id })
        return created.length > 0
      }),
    rename: (id, title) =>
      run(async (database) => {
        const renamed = await database
          .update(documents)
          .set({ title, ...touched })
          .where(eq(documents.id, id))
          .returning({ id: documents.id })
        return renamed.length > 0
      }),
    remove: (id) =>
      run(async (database) => {
        const removed = await database.delete(documents).where(eq(documents.id, id)).returning({ id: documents.id })
        return removed.length > 0
      }),
    list: ({ limit, changedBefore } = {}) =>
      run((database) => {
        const { id, title, createdAt, updatedAt } = documents
        return database
          .select({ id, title, createdAt, updatedAt })
          .from(documents)
          .where(changedBefore && lt(updatedAt, changedBefore))
          .orderBy(desc(updatedAt), id)
          .limit(pageLimit(limit))
      }),
    load: (id) =>
      run((database) =>
        // One state of both tables.
        database.transaction(
          async (transaction) => {
            const { title, createdAt, offset, snapshot, snapshotOffset } = documents
            const [row] = await transaction
              .select({ title, createdAt, offset, snapshot, snapshotOffset })
              .from(documents)
              .where(eq(documents.id, id))
            if (row === undefined) return undefined
            const after = await transaction
              .select({ bytes: updates.bytes })
              .from(updates)
              .where(and(eq(updates.document, id), gt(updates.offset, row.snapshotOffset)))
              .orderBy(updates.offset)
            return { ...row, id, snapshot: row.snapshot ?? undefined, updates: after.map(({ bytes }) => bytes) }
          },
          { isolationLevel: 'repeatable read', accessMode: 'read only' },
        ),
      ),
    updatesAfter: (id, after, maxBytes) =>
      run((database) => {
        const { previous, offset, bytes } = updates
        const total = sql<number>`sum(octet_length(${bytes})) over (order by ${offset})`.as('total')
        const sized = database
          .select({ previous, offset, bytes, total })
          .from(updates)
          .where(and(eq(updates.document, id), gt(offset, after)))
          .as('sized')
        return database
          .select({ previous: sized.previous, offset: sized.offset, bytes: sized.bytes })
          .from(sized)
          .where(lte(sized.total, maxBytes))
          .orderBy(sized.offset)
          .limit(MAX_UPDATES)
      }),
    textOf: (id) =>
      run(async (database) => {
        const [row] = await database.select({ text: documents.text }).from(documents).where(eq(documents.id, id))
        return row?.text
      }),
    append: (batches) =>
      run(async (database) => {
        if (batches.length === 0) return []
        const stored = new Set(namesOf(await database.execute(appendOf(batches))))
        return batches.map(({ document }) => stored.has(document))
      }),
    saveSnapshot: ({ document, offset, bytes, text }) =>
      run(async (database) => {
        const saved = await database
          .update(documents)
          .set({ snapshot: bytes, text, snapshotOffset: offset })
          .where(and(eq(documents.id, document), lt(documents.snapshotOffset, offset), sql`${documents.offset} >= ${offset}`))
          .returning({ id: documents.id })
        return saved.length > 0
      }),
    history: (id, { limit, before } = {}) =>
      run((database) => {
        const { offset, authors, createdAt } = updates
        return database
          .select({ offset, authors, createdAt })
          .from(updates)
          .where(and(eq(updates.document, id), before === undefined ? undefined : lt(offset, before)))
          .orderBy(desc(offset))
          .limit(pageLimit(limit))
      }),
    addVersion: ({ document, name, author, offset, bytes }) =>
      run(async (database) => {
        const [row] = await database
          .insert(versions)
          .values({ document, name, author, offset, snapshot: bytes })
          .returning({ id: versions.id })
        return row?.id ?? 0
      }),
    versions: (document, { limit, before } = {}) =>
      run((database) => {
        const { id, name, author, offset, createdAt } = versions
        return database
          .select({ id, name, author, offset, createdAt })
          .from(versions)
          .where(and(eq(versions.document, document), before === undefined ? undefined : lt(id, before)))
          .orderBy(desc(id))
          .limit(pageLimit(limit))
      }),
    readVersion: (document, version) =>
      run(async (database) => {
        const [row] = await database
          .select({ snapshot: versions.snapshot })
          .from(versions)
          .where(and(eq(versions.document, document), eq(versions.id, version)))
        return row?.snapshot
      }),
    removeVersion: (document, version) =>
      run(async (database) => {
        const removed = await database
          .delete(versions)
          .where(and(eq(versions.document, document), eq(versions.id, version)))
          .returning({ id: versions.id })
        return removed.length > 0
      }),
    prune: (olderThanMs) =>
      run(async (database) => {
        const removed = await database
          .delete(updates)
          .where(
            and(
              lt(updates.createdAt, sql`now() - ${olderThanMs} * interval '1 millisecond'`),
              sql`${updates.offset} <= (select ${documents.snapshotOffset} from ${documents} where ${documents.id} = ${updates.document})`,
            ),
          )
          .returning({ offset: updates.offset })
        return removed.length
      }),
    close: () =>
      (closing ??= (opening ?? Promise.resolve(undefined)).then(
        (found) => found?.end(),
        () => {},
      )),
  }
}

/**
 * One statement, so that all batches are stored in one transaction and one round trip. The rows are locked in the order of their
 * ids: two instances that store the same documents cannot wait for each other.
 */
function appendOf(batches: readonly UpdateBatch[]): SQL {
  const rows = batches.map(({ bytes, ...batch }) => ({ ...batch, bytes: Buffer.from(bytes).toString('base64') }))
  return sql`
    with input as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
        as batch(document text, previous bigint, "offset" bigint, bytes text, authors jsonb)
    ), found as (
      select ${documents.id} as id from ${documents} join input on input.document = ${documents.id}
      where ${documents.offset} = input.previous order by ${documents.id} for update of documents
    ), moved as (
      update ${documents} set "offset" = input."offset", updated_at = now() from input, found
      where ${documents.id} = found.id and input.document = found.id and ${documents.offset} = input.previous
      returning ${documents.id} as id
    )
    insert into ${updates} (document, previous, "offset", bytes, authors)
    select input.document, input.previous, input."offset", decode(input.bytes, 'base64'), input.authors
    from input join moved on moved.id = input.document
    returning document`
}

/** The column `document` of the rows that a driver returns: a list, or an object with one. */
function namesOf(result: unknown): unknown[] {
  const rows: unknown = typeof result === 'object' && result !== null && 'rows' in result ? result.rows : result
  if (!Array.isArray(rows)) return []
  return rows.map((row: unknown) => (typeof row === 'object' && row !== null && 'document' in row ? row.document : undefined))
}
