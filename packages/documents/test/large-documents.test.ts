import { eventually, startTcpProxy } from '@tutti/test-kit'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { RealtimeClient } from '@tutti/client'
import * as Y from 'yjs'
import { document } from '../src/client/document.ts'
import { request } from '../src/client/request.ts'
import { fetchTransfer } from '../src/client/transfer.ts'
import type { DocumentStore } from '../src/server/index.ts'
import { startPostgresql, type TestDatabase } from './databases.ts'
import { createInstances, type Instances } from './instances.ts'

/** The link, bytes per second. */
const BYTES_PER_SECOND = 500_000

/** What a link of 2 Mbit/s forwards in a second. */
const SECOND_BYTES = 250_000

let database: TestDatabase
let store: DocumentStore
let instances: Instances
let url: string

beforeAll(async () => {
  database = await startPostgresql()
  store = database.store
})
afterAll(() => database.stop())
beforeEach(async () => {
  instances = createInstances(store, undefined, () => {})
  url = await instances.start()
})
afterEach(() => instances.stop())

test('[D3] clients that open a large document receive one snapshot, and later edits', async () => {
  const writer = await instances.documents[0]?.open('notes:large')
  await writer?.edit((doc) => doc.getText('text').insert(0, 'x'.repeat(200_000)))
  const { internals } = instances.client(url)
  await eventually(() => expect(internals.connection.up).toBe(true))
  const open = async (): Promise<{ transfer: number | undefined; update: number | undefined; text: string }> => {
    const doc = new Y.Doc()
    // A client that has edits of its own, and nothing of the document.
    doc.getText('text').insert(0, 'new')
    const stateVector = Buffer.from(Y.encodeStateVector(doc)).toString('base64')
    const { transfer, update } = await request(internals.connection, 'document:open', { document: 'notes:large', stateVector })
    if (transfer) Y.applyUpdate(doc, await fetchTransfer(internals, 'notes:large', transfer))
    if (typeof update === 'string') Y.applyUpdate(doc, Buffer.from(update, 'base64'))
    return { transfer: transfer?.bytes, update: update?.length, text: doc.getText('text').toJSON().replace('new', '') }
  }
  const first = await open()
  await writer?.edit((doc) => doc.getText('text').insert(0, 'later'))
  const second = await open()
  expect(first).toMatchObject({ update: undefined, text: 'x'.repeat(200_000) })
  expect(second.text).toBe(`later${'x'.repeat(200_000)}`)
  expect(second.transfer, 'the same snapshot').toBe(first.transfer)
  expect(second.update).toBeLessThan(100)
})

test('[D3] a client that opens a document after an edit has the edit', async () => {
  const { connection } = instances.client(url).internals
  await eventually(() => expect(connection.up).toBe(true))
  const writer = await instances.documents[0]?.open('notes:small')
  const open = async (): Promise<string> => {
    const { update } = await request(connection, 'document:open', { document: 'notes:small' })
    const doc = new Y.Doc()
    Y.applyUpdate(doc, Buffer.from(String(update), 'base64'))
    return doc.getText('text').toJSON()
  }
  await writer?.edit((doc) => doc.getText('text').insert(0, 'text'))
  expect(await open()).toBe('text')
  await writer?.edit((doc) => doc.getText('text').insert(0, 'new '))
  expect(await open()).toBe('new text')
})

test('[D3] a client that opens a document with deletions sends nothing', async () => {
  const id = 'notes:deleted'
  const writer = await instances.documents[0]?.open(id)
  await writer?.edit((doc) => doc.getText('text').insert(0, 'deleted'))
  await writer?.edit((doc) => doc.getText('text').delete(0, 7))
  const observer = instances.client(url)
  const observed = document(observer, id)
  await eventually(() => expect(observed.current).toMatchObject({ loading: false, synced: true }))
  let updates = 0
  observer.internals.connection.attach({ 'document:updated': () => (updates += 1) })
  const opened = instances.open(url, id)
  await eventually(() => expect(opened.current).toMatchObject({ loading: false, synced: true }))
  await writer?.edit((doc) => doc.getText('text').insert(0, 'marker'))
  await eventually(() => expect(observed.text.toJSON()).toBe('marker'))
  expect(updates).toBe(1)
})

test('[D3] on a slow link other messages do not wait for a large document', async () => {
  const [id, { port }] = ['notes:slow', new URL(url)]
  const writer = await instances.documents[0]?.open(id)
  await writer?.edit((doc) => doc.getText('text').insert(0, 'x'.repeat(600_000)))
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(port) })
  onTestFinished(() => proxy.close())
  const client = instances.client(`http://127.0.0.1:${proxy.port}`)
  await eventually(() => expect(client.connection.current).toMatchObject({ status: 'connected' }))
  proxy.limit(BYTES_PER_SECOND)

  const notes = document(client, id)
  const opened = await bytesMeanwhile(client, proxy, 'down', () => !notes.current.loading)
  expect(notes.text.length).toBe(600_000)
  notes.text.insert(0, 'y'.repeat(400_000))
  const pasted = await bytesMeanwhile(client, proxy, 'up', () => notes.current.synced)
  expect(Math.max(...opened, ...pasted)).toBeLessThan(SECOND_BYTES)
  expect([opened.length, pasted.length].every((messages) => messages > 1)).toBe(true)
  expect(proxy.connections).toHaveLength(1)
})

/** Sends messages one after another until `isDone`. Returns for each the bytes that the link forwarded until its reply. */
async function bytesMeanwhile(
  client: RealtimeClient,
  { connections }: { connections: readonly { bytes: { up: number; down: number } }[] },
  direction: 'up' | 'down',
  isDone: () => boolean,
): Promise<number[]> {
  const counts: number[] = []
  const key = client.state<number>('other')
  while (!isDone()) {
    const before = connections[0]?.bytes[direction] ?? 0
    await key.set(counts.length)
    counts.push((connections[0]?.bytes[direction] ?? 0) - before)
  }
  key.dispose()
  return counts
}
