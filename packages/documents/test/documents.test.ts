import { eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import * as Y from 'yjs'
import { document } from '../src/client/document.ts'
import type { DocumentStore } from '../src/server/index.ts'
import { startPgliteInMemory, startPostgresql, type TestDatabase } from './databases.ts'
import { createInstances, type InstanceOptions, type Instances } from './instances.ts'

let redis: TestRedis
let instances: Instances
let errors: unknown[] = []
let count = 0

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(() => {
  errors = []
})
afterEach(async () => {
  await instances.stop()
  expect(errors).toEqual([])
})

const newId = (): string => `notes:${(count += 1)}`

/** Uniformly distributed from a seed, so that a failure can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

const databases = [
  { database: 'PGlite', startDatabase: startPgliteInMemory },
  { database: 'PostgreSQL', startDatabase: startPostgresql },
]
const topologies = [
  { topology: 'one instance, without Redis', size: 1 },
  { topology: 'two instances on Redis', size: 2 },
]

describe.for(databases)('[D9] on $database', ({ startDatabase }) => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await startDatabase()
  })
  afterAll(() => database.stop())

  describe.for(topologies)('$topology', ({ size }) => {
    documentsSuite(size, () => database.store)
  })
})

/** The rules of documents on some instances and a database. */
function documentsSuite(size: number, storeOf: () => DocumentStore): void {
  let urls: string[]
  let store: DocumentStore
  beforeEach(async () => {
    store = storeOf()
    instances = createInstances(store, size === 1 ? undefined : redis.url, (error) => errors.push(error))
    urls = []
    while (urls.length < size) urls.push(await instances.start())
  })
  const urlOf = (place: number): string => urls[place % urls.length] ?? ''

  test('[D1] authors that type at once on all instances end with the same text', async () => {
    const id = newId()
    const random = randomFrom(7)
    const open = [0, 1, 2, 3].map((place) => instances.open(urlOf(place), id))
    await eventually(() => expect(open.every(({ current }) => !current.loading)).toBe(true))
    for (let round = 0; round < 60; round += 1) {
      const text = open[Math.floor(random() * open.length)]?.text ?? new Y.Text()
      const place = Math.floor(random() * (text.length + 1))
      if (random() < 0.25 && text.length > place) text.delete(place, 1)
      else text.insert(place, String.fromCharCode(97 + Math.floor(random() * 26)))
      if (round % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await eventually(() => {
      for (const { current } of open) expect(current).toMatchObject({ synced: true, pendingUpdates: 0 })
      expect(new Set(open.map(({ text }) => text.toJSON())).size).toBe(1)
      expect(new Set(open.map(({ doc }) => Buffer.from(Y.encodeStateVector(doc)).toString('hex'))).size).toBe(1)
    })
    // The last client that closes the document stores a snapshot.
    const text = open[0]?.text.toJSON()
    for (const { dispose } of open) dispose()
    await eventually(async () => expect(await store.textOf(id)).toBe(text))
  })

  test('[D2] a new instance has each acknowledged update', async () => {
    const id = newId()
    const first = instances.open(urlOf(0), id)
    first.text.insert(0, 'kept')
    expect(first.current).toMatchObject({ synced: false, pendingUpdates: 1 })
    await eventually(() => expect(first.current).toMatchObject({ synced: true, pendingUpdates: 0 }))
    const url = await instances.start()
    const other = instances.open(url, id)
    await eventually(() => expect(other.text.toJSON()).toBe('kept'))
  })

  test('[D3] after a reconnect a client receives missed edits and sends its own', async () => {
    const id = newId()
    const client = instances.client(urlOf(0))
    const mine = document(client, id)
    const other = instances.open(urlOf(1), id)
    mine.text.insert(0, 'a')
    await eventually(() => expect([other.text.toJSON(), mine.current.synced]).toEqual(['a', true]))
    client.connection.disconnect()
    mine.text.insert(1, 'b')
    other.text.insert(0, 'c')
    await eventually(() => expect(other.current.synced).toBe(true))
    expect(mine.current).toMatchObject({ synced: false, pendingUpdates: 1 })
    client.connection.connect()
    await eventually(() => expect([mine.text.toJSON(), other.text.toJSON()]).toEqual(['cab', 'cab']))
  })

  test('[D3] edits of a document that was closed offline are sent later', async () => {
    const id = newId()
    const client = instances.client(urlOf(0))
    const other = instances.open(urlOf(1), id)
    const mine = document(client, id)
    await eventually(() => expect(mine.current.loading).toBe(false))
    client.connection.disconnect()
    mine.text.insert(0, 'kept')
    mine.dispose()
    expect(mine.doc.isDestroyed).toBe(false)
    // It is the same document until then.
    const again = document(client, id)
    expect(again.doc).toBe(mine.doc)
    again.dispose()
    client.connection.connect()
    await eventually(() => expect(other.text.toJSON()).toBe('kept'))
    await eventually(() => expect(mine.doc.isDestroyed).toBe(true))
  })

  test('[D3] bytes above the size of a part travel in parts in both directions', async () => {
    const id = newId()
    const long = 'x'.repeat(300_000)
    const first = instances.open(urlOf(0), id)
    const second = instances.open(urlOf(1), id)
    await eventually(() => expect(second.current.loading).toBe(false))
    first.text.insert(0, long)
    await eventually(() => expect(second.text.length).toBe(long.length))
    const third = instances.open(urlOf(1), id)
    await eventually(() => expect(third.text.length).toBe(long.length))
  })

  test('[D8] undo reverts only edits of its own client', async () => {
    const id = newId()
    const [mine, other] = [instances.open(urlOf(0), id), instances.open(urlOf(1), id)]
    await eventually(() => expect([mine.current.loading, other.current.loading]).toEqual([false, false]))
    expect([mine.undo(), mine.redo()]).toEqual([false, false])
    mine.doc.transact(() => mine.text.insert(0, 'mine'), 'an editor')
    await eventually(() => expect(other.text.toJSON()).toBe('mine'))
    expect([other.current.canUndo, other.undo()]).toEqual([false, false])
    other.text.insert(4, ', other')
    await eventually(() => expect(mine.text.toJSON()).toBe('mine, other'))
    expect([mine.current.canUndo, mine.current.canRedo, mine.undo()]).toEqual([true, false, true])
    expect([mine.current.canUndo, mine.current.canRedo]).toEqual([false, true])
    await eventually(() => expect([mine.text.toJSON(), other.text.toJSON()]).toEqual([', other', ', other']))
    expect(mine.redo()).toBe(true)
    await eventually(() => expect([mine.text.toJSON(), other.text.toJSON()]).toEqual(['mine, other', 'mine, other']))
  })

  test('[D10] server code edits a document on every instance', async () => {
    const id = newId()
    const client = instances.open(urlOf(1), id)
    const documents = await Promise.all(instances.documents.map((each) => each.open(id)))
    const [first] = documents
    if (first === undefined) throw new Error('no instance')
    const insert =
      (text: string) =>
      (doc: Y.Doc): void =>
        doc.getText('text').insert(doc.getText('text').length, text)
    await Promise.all(['a', 'b', 'c'].map((text) => first.edit(insert(text))))
    expect(first.text()).toBe('abc')
    const failing = first.edit((doc) => {
      doc.getText('text').insert(0, 'never')
      throw new Error('in a change')
    })
    await expect(failing).rejects.toThrow('in a change')
    await eventually(() => expect(client.text.toJSON()).toBe('abc'))
    client.text.insert(3, 'd')
    await eventually(() => expect(documents.map((each) => each.text())).toEqual(documents.map(() => 'abcd')))
    await first.edit(insert('e'))
    await eventually(() => expect(client.text.toJSON()).toBe('abcde'))
    for (const each of documents) each.close()
    await expect(first.edit(insert('f'))).rejects.toMatchObject({ code: 'CLOSED' })
    await eventually(async () => expect(await store.textOf(id)).toBe('abcde'))
  })

  test('[X2] a revocation ends open documents on every instance', async () => {
    const id = newId()
    const readers = new Set(['ada', 'ben'])
    const rights: InstanceOptions = {
      authenticate: ({ auth }) => ({ id: String(auth['user']) }),
      authorize: ({ user }) => readers.has(user?.id ?? ''),
    }
    const own = [await instances.start(rights), ...(size > 1 ? [await instances.start(rights)] : [])]
    const [ada, ben] = ['ada', 'ben'].map((user, place) => document(instances.client(own[place % size] ?? '', { user }), id))
    if (ada === undefined || ben === undefined) throw new Error('no documents')
    ada.text.insert(0, 'both')
    await eventually(() => expect(ben.text.toJSON()).toBe('both'))
    readers.delete('ben')
    await instances.realtimes.at(-size)?.revoke({ user: 'ben' })
    await eventually(() => expect(ben.current).toMatchObject({ readOnly: true, error: { code: 'FORBIDDEN' } }))
    ada.text.insert(0, 'not ')
    ben.text.insert(0, 'ben ')
    await eventually(() => expect(ada.current.synced).toBe(true))
    expect([ada.text.toJSON(), ben.text.toJSON()]).toEqual(['not both', 'ben both'])
  })

  test('[D11] a document is seeded once, however many open it first', async () => {
    const id = newId()
    const seed = async (name: string): Promise<string> => `# ${name}`
    const seeded = [await instances.start({ seed })]
    if (size > 1) seeded.push(await instances.start({ seed }))
    const open = [0, 1, 2, 3].map((place) => instances.open(seeded[place % seeded.length] ?? '', id))
    await eventually(() => expect(open.map(({ text }) => text.toJSON())).toEqual(open.map(() => `# ${id}`)))
    open[0]?.text.delete(0, id.length + 2)
    await eventually(() => expect(open.map(({ text }) => text.length)).toEqual([0, 0, 0, 0]))
    const later = await instances.documents.at(-1)?.open(id)
    expect(later?.text()).toBe('')
    later?.close()
  })

  test('[D4] a document that changes all the time has snapshots', async () => {
    const id = newId()
    const { text } = instances.open(urlOf(0), id)
    const typing = setInterval(() => text.insert(0, 'a'), 2)
    onTestFinished(() => clearInterval(typing))
    await eventually(async () => expect((await store.load(id))?.snapshotOffset).toBeGreaterThan(0))
  })

  test('[D4] an edit is stored in its interval, also where a snapshot is due later', async () => {
    const id = newId()
    const { text } = instances.open(urlOf(0), id)
    text.insert(0, 'x'.repeat(1_000))
    await eventually(async () => expect(await store.textOf(id)).toHaveLength(1_000))
    // Too small for a snapshot, which is due after 10 minutes.
    for (const edits of [2, 3, 4]) {
      text.insert(0, 'y')
      await eventually(async () => expect(await store.history(id)).toHaveLength(edits))
    }
    text.insert(0, 'z'.repeat(1_000))
    await eventually(async () => expect(await store.textOf(id)).toHaveLength(2_003))
  })

  test('[D4] updates that a snapshot contains are removed after their time', async () => {
    const [id, kept] = [newId(), newId()]
    const url = await instances.start({ keepUpdatesMs: 200 })
    // Its only update is after its snapshot.
    await store.create({ id: kept })
    await store.append([{ document: kept, previous: 0, offset: 1, bytes: new Uint8Array([0, 0]), authors: ['ada'] }])
    instances.open(url, id).text.insert(0, 'text')
    await eventually(async () => expect(await store.history(id)).toHaveLength(1))
    await eventually(async () => expect(await store.history(id)).toEqual([]))
    expect(await store.history(kept)).toHaveLength(1)
    expect(await store.textOf(id)).toBe('text')
  })

  test('[D4] a text with a NUL is stored, without it', async () => {
    const id = newId()
    instances.open(urlOf(0), id).text.insert(0, 'a\0b')
    await eventually(async () => expect(await store.textOf(id)).toBe('ab'))
  })

  test('[D4] an older state never overwrites a newer one', async () => {
    const id = newId()
    const first = instances.open(urlOf(0), id)
    first.text.insert(0, 'new')
    await eventually(async () => expect(await store.textOf(id)).toBe('new'))
    const offset = (await store.load(id))?.offset ?? 0
    expect(offset).toBeGreaterThan(0)
    expect(await store.append([{ document: id, previous: 0, offset: offset - 1, bytes: new Uint8Array([0, 0]), authors: [] }])).toEqual([
      false,
    ])
    expect(await store.saveSnapshot({ document: id, offset: offset - 1, bytes: new Uint8Array([0, 0]), text: 'old' })).toBe(false)
    expect(await store.textOf(id)).toBe('new')
  })
}
