import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { createRealtimeClient, socketTransport, type RealtimeClient } from '@tutti/client'
import type { OpenedDocument } from '@tutti/protocol'
import { eventually, startTcpProxy } from '@tutti/test-kit'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import * as Y from 'yjs'
import { document } from '../src/client/document.ts'
import { request } from '../src/client/request.ts'
import { createInstances, type Instances } from './instances.ts'
import { useRedisAndPostgresql } from './redis-and-postgresql.ts'

const shared = useRedisAndPostgresql()
let instances: Instances
let count = 0

afterEach(() => instances.stop())

const newId = (): string => `opened:${(count += 1)}`

async function connected(url: string): Promise<RealtimeClient> {
  const client = instances.client(url)
  await eventually(() => expect(client.connection.current.status).toBe('connected'))
  return client
}

/** Edits a document once, through a connection that has it open. Returns the update and its place in the log. */
async function edit(url: string, id: string, text: string): Promise<{ doc: Y.Doc; offset: string }> {
  const { connection } = (await connected(url)).internals
  const doc = new Y.Doc()
  await request(connection, 'document:open', { document: id })
  doc.getText('text').insert(0, text)
  const update = Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64')
  return { doc, ...(await request(connection, 'document:update', { document: id, update })) }
}

const vectorOf = (doc: Y.Doc): string => Buffer.from(Y.encodeStateVector(doc)).toString('base64')

describe('an instance that lags behind the log', () => {
  test.for([
    { known: 'its place in the log', has: ({ offset }: { offset: string }) => ({ offset }) },
    { known: 'its content', has: ({ doc }: { doc: Y.Doc }) => ({ stateVector: vectorOf(doc) }) },
  ])('[D1] reads it before a client that has more opens a document, by $known', async ({ has }) => {
    instances = createInstances(shared.store, shared.redis.url, () => {})
    const link = await startTcpProxy(shared.redis)
    onTestFinished(() => link.close())
    const [url, lagging] = [await instances.start(), await instances.start({ redisUrl: `redis://127.0.0.1:${link.port}` })]
    const id = newId()
    await edit(lagging, id, 'before')
    const { connection } = (await connected(lagging)).internals
    link.stall()
    const { doc, offset } = await edit(url, id, 'acknowledged')
    const opening: Promise<OpenedDocument> = request(connection, 'document:open', { document: id, ...has({ doc, offset }) })
    await wait(100)
    link.flow()
    const { stateVector, offset: opened } = await opening
    expect(opened).toBe(offset)
    const known = Y.decodeStateVector(typeof stateVector === 'string' ? Buffer.from(stateVector, 'base64') : stateVector)
    expect([...known]).toEqual(expect.arrayContaining([...Y.decodeStateVector(Y.encodeStateVector(doc))]))
  })

  test('[D1] shows its clients what it takes from the database, without another edit', async () => {
    instances = createInstances(shared.store, shared.redis.url, () => {})
    const link = await startTcpProxy(shared.redis)
    onTestFinished(() => link.close())
    const [url, lagging] = [await instances.start(), await instances.start({ redisUrl: `redis://127.0.0.1:${link.port}` })]
    const id = newId()
    const reader = instances.open(lagging, id)
    await eventually(() => expect(reader.current.synced).toBe(true))
    link.refuse()
    await edit(url, id, 'stored meanwhile')
    // What the database has is removed from the log.
    await eventually(async () => expect(await shared.store.textOf(id)).toBe('stored meanwhile'))
    await wait(100)
    link.flow()
    await eventually(() => expect(reader.text.toJSON()).toBe('stored meanwhile'))
  })
})

describe('a document that another connection has open stays in memory', () => {
  test.for([
    {
      name: 'closes it while it is opened',
      end: ({ internals: { connection } }: RealtimeClient, id: string) => connection.send('document:close', { document: id }),
    },
    { name: 'is lost while it is opened', end: ({ connection }: RealtimeClient) => connection.disconnect() },
  ])('[D6] when a connection $name', async ({ end }) => {
    instances = createInstances(shared.store, shared.redis.url, () => {})
    const url = await instances.start()
    const id = newId()
    const [reader, writer] = [instances.open(url, id), instances.open(url, id)]
    await eventually(() => expect([reader.current.synced, writer.current.synced]).toEqual([true, true]))
    for (let round = 0; round < 3; round += 1) {
      const other = await connected(url)
      other.internals.connection.request('document:open', { document: id }, () => {})
      end(other, id)
    }
    // It leaves memory after 20 ms without being opened.
    await wait(200)
    writer.text.insert(0, 'still open')
    await eventually(() => expect(reader.text.toJSON()).toBe('still open'))
    expect([reader.current, writer.current]).toMatchObject([{ readOnly: false }, { readOnly: false, synced: true }])
  })
})

test('[D1] a document that is disposed of while it is opened is closed on the server', async () => {
  instances = createInstances(shared.store, shared.redis.url, () => {})
  const url = await instances.start()
  const id = newId()
  const writer = instances.open(url, id)
  const client = await connected(url)
  const received: string[] = []
  client.internals.connection.attach({ 'document:updated': (notice) => void received.push(notice.document) })
  const opened = document(client, id)
  // The request is sent in this turn, and has no reply yet.
  await turn()
  opened.dispose()
  // A reply to a later request: the others were handled before.
  await request(client.internals.connection, 'storage:unsubscribe', { keys: [] })
  await eventually(() => expect(writer.current.synced).toBe(true))
  writer.text.insert(0, 'not for a closed one')
  await eventually(() => expect(writer.current).toMatchObject({ synced: true, pendingUpdates: 0 }))
  await wait(100)
  expect(received).toEqual([])
})

test('[D1] a client that lacks an update before its offset receives it', async () => {
  instances = createInstances(shared.store, shared.redis.url, () => {})
  const url = await instances.start()
  const id = newId()
  const writer = instances.open(url, id)
  let notices = 0
  const connect = socketTransport({ url })
  const client = createRealtimeClient({
    transport: (handshake, { onMessage, onClose }) =>
      connect(handshake, {
        onClose,
        onMessage: (message) => {
          const isFirst = message.name === 'document:updated' && (notices += 1) === 1
          onMessage(isFirst ? { ...message, payload: { ...message.payload, update: '' } } : message)
        },
      }),
  })
  onTestFinished(() => client.close())
  const reader = document(client, id)
  await eventually(() => expect([reader.current.synced, writer.current.synced]).toEqual([true, true]))
  for (const text of ['one ', 'two ', 'three']) {
    writer.text.insert(writer.text.length, text)
    await eventually(() => expect(writer.current.pendingUpdates).toBe(0))
  }
  await eventually(() => expect(reader.text.toJSON()).toBe('one two three'))
})

test('[D1] after an update that builds on a missing one, not each one opens it again', async () => {
  instances = createInstances(shared.store, shared.redis.url, () => {})
  const url = await instances.start()
  const id = newId()
  const [writer, reader, other] = [instances.open(url, id), await connected(url), await connected(url)]
  const requests = vi.spyOn(reader.internals.connection, 'request')
  const notes = document(reader, id)
  await eventually(() => expect([notes.current.synced, writer.current.synced]).toEqual([true, true]))
  const foreign = new Y.Doc()
  foreign.getText('text').insert(0, 'lost')
  const before = Y.encodeStateVector(foreign)
  foreign.getText('text').insert(4, ', dangling')
  const dangling = Buffer.from(Y.encodeStateAsUpdate(foreign, before)).toString('base64')
  await request(other.internals.connection, 'document:open', { document: id })
  await request(other.internals.connection, 'document:update', { document: id, update: dangling })
  for (let count = 0; count < 20; count += 1) {
    writer.text.insert(0, '.')
    await eventually(() => expect(notes.text.toJSON()).toHaveLength(count + 1))
  }
  expect(requests.mock.calls.filter(([name]) => name === 'document:open').length).toBeLessThan(8)
})
