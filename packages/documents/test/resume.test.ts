import { seededRandom, startRedis, eventually, type TestRedis } from '@tutti/test-kit'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { OpenedDocument } from '@tutti/protocol'
import * as Y from 'yjs'
import { request } from '../src/client/request.ts'
import type { DocumentStore } from '../src/server/index.ts'
import { churnedDocument, randomInsert } from './churned-document.ts'
import { startPostgresql, type TestDatabase } from './databases.ts'
import { createInstances, type Instances } from './instances.ts'

/** With as many deletions, which each difference of state vectors contains. */
const CONTENT = churnedDocument(100_000)
const MISSED = 100

let redis: TestRedis
let database: TestDatabase
let store: DocumentStore
let instances: Instances
let count = 0

beforeAll(async () => {
  ;[redis, database] = await Promise.all([startRedis(), startPostgresql()])
  store = database.store
})
afterAll(async () => {
  await redis.stop()
  await database.stop()
})
afterEach(() => instances.stop())

const sizeOf = (content: string | Uint8Array | undefined): number => content?.length ?? 0
const bytesOf = (content: string | Uint8Array = ''): Uint8Array => (typeof content === 'string' ? Buffer.from(content, 'base64') : content)

/** Opens the document as a client with this content and offset. */
async function open(url: string, id: string, doc: Y.Doc, offset?: string): Promise<OpenedDocument> {
  const { connection } = instances.client(url).internals
  await eventually(() => expect(connection.up).toBe(true))
  const stateVector = Buffer.from(Y.encodeStateVector(doc)).toString('base64')
  return request(connection, 'document:open', { document: id, offset, stateVector })
}

/** Settles when the database has this content. */
const untilStored = (id: string, doc: Y.Doc): Promise<void> =>
  eventually(
    async () => {
      const found = await store.load(id)
      const known = new Y.Doc()
      for (const update of [found?.snapshot, ...(found?.updates ?? [])]) if (update) Y.applyUpdate(known, update)
      expect(known.getText('text').toJSON() === doc.getText('text').toJSON()).toBe(true)
    },
    { timeoutMs: 30_000 },
  )

describe.for([
  { topology: 'one instance, without Redis', isShared: false },
  { topology: 'two instances on Redis', isShared: true },
])('$topology', ({ isShared }) => {
  test.for([
    { place: 'the same instance', isNew: false },
    { place: 'an instance that has the document from the database', isNew: true },
  ])('[D3] missed edits of a churned document are resumed on $place', async ({ isNew }) => {
    instances = createInstances(store, isShared ? redis.url : undefined, () => {})
    const url = await instances.start({ storeIntervalMs: 1 })
    const id = `notes:${(count += 1)}`
    const writer = await instances.documents[0]?.open(id)
    await writer?.edit((doc) => Y.applyUpdate(doc, CONTENT))
    const doc = new Y.Doc()
    Y.applyUpdate(doc, CONTENT)
    await untilStored(id, doc)
    const before = await open(url, id, doc)

    const missed: Uint8Array[] = []
    const other = new Y.Doc()
    Y.applyUpdate(other, CONTENT)
    other.on('update', (update: Uint8Array) => missed.push(update))
    const random = seededRandom(5)
    for (let edit = 0; edit < MISSED; edit += 1) {
      randomInsert(other, random)
      await writer?.edit((shared) => Y.applyUpdate(shared, missed[edit] ?? new Uint8Array()))
    }
    await untilStored(id, other)

    const next = isNew ? await instances.start() : url
    const reply = await open(next, id, doc, before.offset)
    Y.applyUpdate(doc, bytesOf(reply.update))
    expect(doc.getText('text').toJSON() === other.getText('text').toJSON()).toBe(true)
    const sent = sizeOf(reply.update) + sizeOf(reply.stateVector)
    expect(sent / Y.mergeUpdates(missed).length).toBeLessThanOrEqual(1.2)
  })
})
