import { bigint, customType, index, jsonb, pgSchema, primaryKey, text, timestamp } from 'drizzle-orm/pg-core'

/** Bytes, as `Uint8Array`. */
const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' })

const offset = (name: string) => bigint(name, { mode: 'number' })
const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' }).notNull().defaultNow()

/** All tables are in a schema of their own, apart from the application's. */
export const tutti = pgSchema('tutti')

/** One row for each document. The text of all documents is readable with one query. */
export const documents = tutti.table('documents', {
  id: text('id').primaryKey(),
  title: text('title').notNull().default(''),
  /** The plain text as of the last snapshot. */
  text: text('text').notNull().default(''),
  snapshot: bytes('snapshot'),
  snapshotOffset: offset('snapshot_offset').notNull().default(0),
  /** Everything up to this offset is in the snapshot and in `updates`. 0: nothing was stored. */
  offset: offset('offset').notNull().default(0),
  createdAt: time('created_at'),
  updatedAt: time('updated_at'),
})

/** Merged updates, each from one offset to the next one. */
export const updates = tutti.table(
  'updates',
  {
    document: text('document')
      .notNull()
      .references(() => documents.id, { onDelete: 'cascade' }),
    previous: offset('previous').notNull(),
    offset: offset('offset').notNull(),
    bytes: bytes('bytes').notNull(),
    /** The users whose edits it contains. */
    authors: jsonb('authors').$type<readonly string[]>().notNull(),
    createdAt: time('created_at'),
  },
  (table) => [primaryKey({ columns: [table.document, table.offset] })],
)

/** Named snapshots that users made. */
export const versions = tutti.table(
  'versions',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    document: text('document')
      .notNull()
      .references(() => documents.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    author: text('author').notNull(),
    offset: offset('offset').notNull(),
    snapshot: bytes('snapshot').notNull(),
    createdAt: time('created_at'),
  },
  (table) => [index('versions_of_document').on(table.document, table.id)],
)
