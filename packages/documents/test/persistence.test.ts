import 'fake-indexeddb/auto'
import { randomUUID } from 'node:crypto'
import type { RealtimeClient } from '@tutti/client'
import { eventually } from '@tutti/test-kit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import * as Y from 'yjs'
import { document, type DocumentStorage, type RealtimeDocument } from '../src/client/document.ts'
import { createDocumentStorage } from '../src/offline/document-storage.ts'
import type { DocumentStore } from '../src/server/index.ts'
import { startPglite, type TestDatabase } from './databases.ts'
import { createInstances, type Instances } from './instances.ts'

let database: TestDatabase
let store: DocumentStore
let instances: Instances
let url: string
let errors: unknown[] = []
let count = 0

beforeAll(async () => {
  database = await startPglite()
  store = database.store
})
afterAll(() => database.stop())
beforeEach(async () => {
  errors = []
  instances = createInstances(store, undefined, (error) => errors.push(error))
  url = await instances.start()
})
afterEach(async () => {
  await instances.stop()
  expect(errors).toEqual([])
})

const newId = (): string => `kept:${(count += 1)}`

interface TestPage {
  readonly client: RealtimeClient
  readonly storage: DocumentStorage
  open(id: string): RealtimeDocument
  /** The page ends without notice: what is stored stays. */
  end(): void
}

/** A page of a browser. `isOffline`: it is not connected before `client.connection.connect()`. */
function openPage(user: string, { isOffline = false, auth = {} as Record<string, string>, timeoutMs = 3_000 } = {}): TestPage {
  const client = instances.client(url, auth)
  if (isOffline) client.connection.disconnect()
  const storage = createDocumentStorage({ user, timeoutMs })
  onTestFinished(() => storage.close())
  return {
    client,
    storage,
    open: (id) => document(client, id, { persist: storage }),
    end: () => {
      client.connection.disconnect()
      storage.close()
    },
  }
}

const isSynced = (notes: RealtimeDocument): Promise<void> =>
  eventually(() => expect(notes.current).toMatchObject({ synced: true, pendingUpdates: 0, error: undefined }))

/** A page that has opened a document with a text, and lost the connection. */
async function openThenLose(user: string, id: string, text: string): Promise<{ page: TestPage; notes: RealtimeDocument }> {
  const page = openPage(user)
  const notes = page.open(id)
  notes.text.insert(0, text)
  await isSynced(notes)
  // Another page finds it.
  await eventually(async () => expect((await storedOf(user, id)).text).toBe(text))
  page.client.connection.disconnect()
  return { page, notes }
}

/** Removes a document from the database when it has left memory: the server opens it with this text then. */
const replaceBy = (text: string, id: string): Promise<void> => {
  const reopen = async (): Promise<void> => {
    await store.remove(id)
    const opened = await instances.documents.at(-1)?.open(id)
    const found = opened?.text()
    opened?.close()
    expect(found).toBe(text)
  }
  // It leaves memory after 20 ms without being opened.
  return eventually(reopen, { everyMs: 100 })
}

/** What another page of the user finds in the storage. */
async function storedOf(user: string, id: string) {
  const storage = createDocumentStorage({ user })
  try {
    const found = await storage.internals.read(id)
    const doc = new Y.Doc()
    for (const { bytes } of found.content) Y.applyUpdate(doc, bytes)
    return { ...found, text: doc.getText('text').toJSON() }
  } finally {
    storage.close()
  }
}
const isStored = (user: string, id: string, text: string, edits: number): Promise<void> =>
  eventually(async () => {
    const found = await storedOf(user, id)
    expect([found.text, found.edits.length]).toEqual([text, edits])
  })

test('[D13] a reload while offline shows the document and sends its edits later', async () => {
  const [id, user] = [newId(), randomUUID()]
  const other = instances.open(url, id)
  const { page, notes } = await openThenLose(user, id, 'old')
  notes.text.insert(3, ' new')
  notes.text.delete(0, 1)
  await isStored(user, id, 'ld new', 2)
  page.end()

  const next = openPage(user, { isOffline: true })
  const again = next.open(id)
  expect(again.current).toMatchObject({ loading: true, pendingUpdates: 0 })
  await eventually(() => expect(again.current).toMatchObject({ loading: false, synced: false, pendingUpdates: 2, canUndo: false }))
  expect(again.text.toJSON()).toBe('ld new')
  expect(await next.storage.pending()).toEqual([id])
  again.text.insert(0, 'o')
  await eventually(() => expect(other.text.toJSON()).toBe('old'))
  next.client.connection.connect()
  await isSynced(again)
  await eventually(() => expect(other.text.toJSON()).toBe('old new'))
  await isStored(user, id, 'old new', 0)
  expect(await next.storage.pending()).toEqual([])
})

test('[D13] a reloaded page receives only what it missed, and sends no edit twice', async () => {
  const [id, user] = [newId(), randomUUID()]
  const other = instances.open(url, id)
  const { page, notes } = await openThenLose(user, id, 'x'.repeat(5_000))
  notes.text.delete(0, 1_000)
  page.client.connection.connect()
  await isSynced(notes)
  await isStored(user, id, 'x'.repeat(4_000), 0)
  page.end()
  await eventually(async () => expect((await storedOf(user, id)).offset).toBeDefined())
  other.text.insert(0, 'missed ')
  await isSynced(other)
  const history = await store.history(id)

  const next = openPage(user)
  const received: number[] = []
  const { request } = next.client.internals.connection
  vi.spyOn(next.client.internals.connection, 'request').mockImplementation((name, payload, answer) =>
    request(name, payload, (outcome) => {
      if (name === 'document:open') received.push(JSON.stringify(outcome.result).length)
      expect(name).not.toBe('document:update')
      answer(outcome)
    }),
  )
  const again = next.open(id)
  await eventually(() => expect(again.text.toJSON()).toBe(`missed ${'x'.repeat(4_000)}`))
  await isSynced(again)
  expect(Math.max(...received)).toBeLessThan(500)
  expect(await store.history(id)).toEqual(history)
})

test('[D13] edits of two pages of one browser are all sent after both are reloaded', async () => {
  const [id, user] = [newId(), randomUUID()]
  const { page, notes } = await openThenLose(user, id, '-')
  const second = openPage(user, { isOffline: true })
  const beside = second.open(id)
  await eventually(() => expect(beside.text.toJSON()).toBe('-'))
  for (let edit = 0; edit < 20; edit += 1) {
    notes.text.insert(0, 'a')
    beside.text.insert(beside.text.length, 'b')
  }
  await isStored(user, id, `${'a'.repeat(20)}-${'b'.repeat(20)}`, 40)
  page.end()
  second.end()
  const again = openPage(user).open(id)
  await isSynced(again)
  await eventually(async () => expect(await store.textOf(id)).toBe(`${'a'.repeat(20)}-${'b'.repeat(20)}`))
})

test('[D13] another user of the browser neither sees nor sends the edits', async () => {
  const [id, ada, ben] = [newId(), randomUUID(), randomUUID()]
  const { page, notes } = await openThenLose(ada, id, 'sent')
  notes.text.insert(4, ', not sent')
  await isStored(ada, id, 'sent, not sent', 1)
  page.end()

  const other = openPage(ben)
  expect(await other.storage.pending()).toEqual([])
  const seen = other.open(id)
  await isSynced(seen)
  expect(seen.text.toJSON()).toBe('sent')
  other.end()
  // The first user signs in again.
  const again = openPage(ada).open(id)
  await isSynced(again)
  expect(again.text.toJSON()).toBe('sent, not sent')
})

test('[D13] a cleared storage keeps nothing, in no page', async () => {
  const [id, user] = [newId(), randomUUID()]
  const { page, notes } = await openThenLose(user, id, 'text')
  const beside = openPage(user, { isOffline: true })
  const other = beside.open(id)
  await eventually(() => expect(other.text.toJSON()).toBe('text'))
  notes.text.insert(0, 'a ')
  await isStored(user, id, 'a text', 1)
  expect(await page.storage.pending()).toEqual([id])
  await page.storage.clear()
  await eventually(() => {
    for (const { current } of [notes, other]) expect(current).toMatchObject({ persistError: { code: 'CLOSED' } })
  })
  // What is open is still edited and sent.
  notes.text.insert(0, 'b ')
  other.text.insert(0, 'c ')
  await expect(page.storage.pending()).rejects.toMatchObject({ code: 'CLOSED' })
  page.client.connection.connect()
  await isSynced(notes)
  expect(await storedOf(user, id)).toMatchObject({ generation: undefined, content: [], edits: [] })
})

test('[D13] a document that was deleted on the server is not sent again', async () => {
  const [id, user] = [newId(), randomUUID()]
  const { page, notes } = await openThenLose(user, id, 'deleted')
  notes.text.insert(0, 'edit of the ')
  await isStored(user, id, 'edit of the deleted', 1)
  page.end()
  await replaceBy('', id)
  url = await instances.start()

  const next = openPage(user)
  const again = next.open(id)
  await eventually(() => expect(again.current).toMatchObject({ readOnly: true, error: { code: 'CONFLICT' }, pendingUpdates: 1 }))
  expect(again.text.toJSON()).toBe('edit of the deleted')
  again.dispose()
  expect((await storedOf(user, id)).edits).toHaveLength(1)
  await next.storage.remove(id)
  const empty = next.open(id)
  await isSynced(empty)
  expect(empty.text.toJSON()).toBe('')
})

describe('a document that was deleted and is seeded again with the same text', () => {
  const seed = (): string => 'seed'
  const isAnother = async (notes: RealtimeDocument, id: string): Promise<void> => {
    await eventually(() => expect(notes.current).toMatchObject({ readOnly: true, synced: false, error: { code: 'CONFLICT' } }))
    expect(notes.text.toJSON()).toBe('old seed')
    const other = instances.open(url, id)
    await isSynced(other)
    expect(other.text.toJSON()).toBe('seed')
  }

  test('[D13] is another one for a page that has stored the first one', async () => {
    const [id, user] = [newId(), randomUUID()]
    url = await instances.start({ seed })
    const page = openPage(user)
    const notes = page.open(id)
    await eventually(() => expect(notes.text.toJSON()).toBe('seed'))
    notes.text.insert(0, 'old ')
    await isSynced(notes)
    await isStored(user, id, 'old seed', 0)
    page.end()
    await replaceBy('seed', id)
    url = await instances.start({ seed })
    const again = openPage(user).open(id)
    await isAnother(again, id)
  })

  test('[D13] is another one for a page that has the first one open', async () => {
    const id = newId()
    url = await instances.start({ seed })
    const client = instances.client(url)
    const notes = document(client, id)
    await eventually(() => expect(notes.text.toJSON()).toBe('seed'))
    notes.text.insert(0, 'old ')
    await isSynced(notes)
    client.connection.disconnect()
    await replaceBy('seed', id)
    client.connection.connect()
    await isAnother(notes, id)
    // A new handle receives the new document.
    notes.dispose()
    const next = document(client, id)
    await isSynced(next)
    expect(next.text.toJSON()).toBe('seed')
  })
})

test('[D13] an open page sends all of a document to a server that has none of it', async () => {
  const id = newId()
  const client = instances.client(url)
  const notes = document(client, id)
  notes.text.insert(0, 'only here')
  await isSynced(notes)
  client.connection.disconnect()
  await replaceBy('', id)
  client.connection.connect()
  await isSynced(notes)
  await eventually(async () => expect(await store.textOf(id)).toBe('only here'))
})

test('[D13] edits that were acknowledged and lost with the log are sent again', async () => {
  const [id, user] = [newId(), randomUUID()]
  const { page, notes } = await openThenLose(user, id, 'first')
  page.client.connection.connect()
  await isSynced(notes)
  const early = await store.load(id)
  notes.text.insert(5, ', second')
  await isSynced(notes)
  await isStored(user, id, 'first, second', 0)
  page.end()
  // A backup is restored.
  const backup = [...(early?.updates ?? []), early?.snapshot].flatMap((bytes) => (bytes === undefined ? [] : [bytes]))
  await replaceBy('', id)
  await store.remove(id)
  await store.create({ id })
  await store.append([{ document: id, previous: 0, offset: 1, bytes: Y.mergeUpdates(backup), authors: [] }])
  url = await instances.start()
  const again = openPage(user).open(id)
  await isSynced(again)
  await eventually(async () => expect(await store.textOf(id)).toBe('first, second'))
})

test('[D13] edits that may not be sent are kept and reported', async () => {
  const [id, user] = [newId(), randomUUID()]
  let mayWrite = true
  url = await instances.start({
    authenticate: () => ({ id: user }),
    authorize: ({ action }) => mayWrite || action !== 'document:write',
  })
  const { page, notes } = await openThenLose(user, id, 'text')
  notes.text.insert(0, 'more ')
  await isStored(user, id, 'more text', 1)
  page.end()
  mayWrite = false
  const again = openPage(user).open(id)
  await eventually(() =>
    expect(again.current).toMatchObject({ readOnly: true, loading: false, pendingUpdates: 1, error: { code: 'FORBIDDEN' } }),
  )
  expect((await storedOf(user, id)).edits).toHaveLength(1)
})

test('[D13] a reader sends nothing for what the server has lost', async () => {
  const [id, user] = [newId(), randomUUID()]
  const author = instances.open(url, id)
  author.text.insert(0, 'first')
  await isSynced(author)
  const early = await store.load(id)
  author.text.insert(5, ', second')
  author.text.delete(0, 1)
  await isSynced(author)
  url = await instances.start({ authorize: ({ action }) => action !== 'document:write' })
  const page = openPage(user)
  const notes = page.open(id)
  await isStored(user, id, 'irst, second', 0)
  await eventually(async () => expect((await storedOf(user, id)).offset).toBeDefined())
  page.end()
  await replaceBy('', id)
  await store.remove(id)
  await store.create({ id })
  const bytes = Y.mergeUpdates([...(early?.updates ?? []), early?.snapshot].flatMap((update) => update ?? []))
  await store.append([{ document: id, previous: 0, offset: 1, bytes, authors: [] }])
  url = await instances.start({ authorize: ({ action }) => action !== 'document:write' })
  const again = openPage(user).open(id)
  await eventually(() => expect(again.current).toMatchObject({ synced: true, readOnly: true, pendingUpdates: 0, error: undefined }))
  expect(notes.text.toJSON()).toBe('irst, second')
})

test('[D13] without IndexedDB a document works in memory and has the reason', async () => {
  const id = newId()
  vi.stubGlobal('indexedDB', undefined)
  onTestFinished(() => void vi.unstubAllGlobals())
  const notes = openPage('ada').open(id)
  notes.text.insert(0, 'in memory')
  await isSynced(notes)
  expect(notes.current.persistError).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining(id) })
})

test('[D13] a full storage is reported until everything is stored again', async () => {
  const [id, user] = [newId(), randomUUID()]
  const { page, notes } = await openThenLose(user, id, 'text')
  await isStored(user, id, 'text', 0)
  const full = vi.spyOn(IDBObjectStore.prototype, 'add').mockImplementation(() => {
    throw new DOMException('The disk is full.', 'QuotaExceededError')
  })
  onTestFinished(() => full.mockRestore())
  notes.text.insert(0, 'kept ')
  await eventually(() => expect(notes.current.persistError).toMatchObject({ code: 'UNAVAILABLE' }))
  expect(notes.current).toMatchObject({ error: undefined, readOnly: false, pendingUpdates: 1 })
  await isStored(user, id, 'text', 0)
  full.mockRestore()
  notes.text.insert(0, 'also ')
  await eventually(() => expect(notes.current.persistError).toBeUndefined())
  await isStored(user, id, 'also kept text', 2)
  page.end()
  const again = openPage(user).open(id)
  await isSynced(again)
  expect(again.text.toJSON()).toBe('also kept text')
})

test('[D13] a storage that does not reply delays a document by its time limit only', async () => {
  const [id, user] = [newId(), randomUUID()]
  const { page, notes } = await openThenLose(user, id, 'text')
  notes.text.insert(0, 'more ')
  await isStored(user, id, 'more text', 1)
  page.end()
  const next = openPage(user, { timeoutMs: 50 })
  const { read } = next.storage.internals
  const gate = Promise.withResolvers<void>()
  const slow: DocumentStorage = {
    ...next.storage,
    internals: { ...next.storage.internals, read: (name) => gate.promise.then(() => read(name)) },
  }
  const again = document(next.client, id, { persist: slow })
  await isSynced(again)
  expect(again.current.persistError).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('timeoutMs') })
  expect(again.text.toJSON()).toBe('text')
  // What is read too late is still shown and sent.
  gate.resolve()
  await eventually(() => expect(again.text.toJSON()).toBe('more text'))
  await isSynced(again)
  expect(again.current.persistError).toBeUndefined()
  await eventually(async () => expect(await store.textOf(id)).toBe('more text'))
})

test('[D13] a document that is stored in many rows is stored in one again', async () => {
  const [id, user] = [newId(), randomUUID()]
  const { page } = await openThenLose(user, id, 'text')
  const { write } = page.storage.internals
  const bytes = Y.encodeStateAsUpdate(new Y.Doc())
  const row = { replaced: [], content: bytes, edits: [], acknowledged: [], offset: undefined }
  await Promise.all(Array.from({ length: 600 }, () => write(id, () => row)))
  page.end()
  const next = openPage(user)
  const notes = next.open(id)
  await isSynced(notes)
  notes.text.insert(0, 'more ')
  await eventually(async () => expect((await storedOf(user, id)).content.length).toBeLessThan(5))
  await isStored(user, id, 'more text', 0)
})

test('[D13] a document is kept in one storage, which any of its handles names', async () => {
  const [id, user] = [newId(), randomUUID()]
  const page = openPage(user, { isOffline: true })
  const first = document(page.client, id)
  first.text.insert(0, 'before')
  const second = page.open(id)
  expect(second.doc).toBe(first.doc)
  await isStored(user, id, 'before', 1)
  const another = createDocumentStorage({ user: 'another' })
  expect(() => document(page.client, id, { persist: another })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  expect(() => createDocumentStorage({} as { user: string })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})
