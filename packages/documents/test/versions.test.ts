import { rules } from '@tutti/server'
import { eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { document } from '../src/client/document.ts'
import { documentVersions, type DocumentVersions } from '../src/client/versions.ts'
import { startPglite, startPostgresql, type TestDatabase } from './databases.ts'
import { createInstances, type Instances } from './instances.ts'

const textOf = (doc: Y.Doc): string => doc.getText('text').toJSON()

const authenticate = ({ auth }: { auth: Readonly<Record<string, unknown>> }): { id: string } => ({ id: String(auth['user']) })
const authorize = rules({ documents: { 'notes:*': { read: true, write: ({ user }) => user?.id !== 'reader' } } })

let redis: TestRedis
let errors: unknown[]

beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())
beforeEach(() => {
  errors = []
})
afterEach(() => expect(errors).toEqual([]))

describe.for([
  ['PGlite', 1, startPglite],
  ['PostgreSQL', 2, startPostgresql],
] as const)('[D9] on %s, with %i instances', ([title, size, start]) => {
  let database: TestDatabase
  let instances: Instances
  let urls: string[]
  let count = 0

  beforeAll(async () => {
    database = await start()
  })
  afterAll(() => database.stop())
  beforeEach(async () => {
    instances = createInstances(database.store, size === 1 ? undefined : redis.url, (error) => errors.push(error))
    urls = []
    while (urls.length < size) urls.push(await instances.start({ authenticate, authorize, maxVersions: 2 }))
  })
  afterEach(() => instances.stop())

  /** A client on one of the instances, with the document and its history. */
  const open = (place: number, user: string, id: string) => {
    const client = instances.client(urls[place % urls.length] ?? '', { user })
    return { client, notes: document(client, id), history: documentVersions(client, id) }
  }
  const newId = (): string => `notes:${title}-${(count += 1)}`
  const namesOf = async (history: DocumentVersions): Promise<string[]> => (await history.list()).rows.map(({ name }) => name)

  test('[D12] a version is restored as a new edit, for all types of the document', async () => {
    const id = newId()
    const [{ notes, history }, other] = [open(0, 'ada', id), open(1, 'grace', id)]
    notes.text.insert(0, 'first draft')
    notes.text.format(0, 5, { bold: true })
    notes.doc.getMap('meta').set('title', 'Draft')
    await eventually(() => expect(other.notes.text.toJSON()).toBe('first draft'))
    // Only once the server has the edits that came before.
    notes.text.insert(11, '.')
    const version = await history.save('Before the meeting')
    expect(await other.history.list()).toEqual({
      rows: [{ id: version, name: 'Before the meeting', author: 'ada', at: expect.any(Number) }],
      hasMore: false,
    })
    other.notes.text.delete(0, 6)
    other.notes.text.insert(0, 'last ')
    other.notes.doc.getMap('meta').set('title', 'Final')
    await eventually(() => expect(notes.text.toJSON()).toBe('last draft.'))
    expect(textOf(await other.history.read(version))).toBe('first draft.')
    await eventually(() => expect(other.notes.text.toJSON()).toBe('last draft.'))

    await other.history.restore(version)
    await eventually(() => {
      for (const { text, doc } of [notes, other.notes]) {
        expect(text.toDelta()).toEqual([{ insert: 'first', attributes: { bold: true } }, { insert: ' draft.' }])
        expect(doc.getMap('meta').get('title')).toBe('Draft')
      }
    })
    // The last client that closes the document stores a snapshot. Smaller edits than a quarter of the last one make none before.
    for (const { dispose } of [notes, other.notes]) dispose()
    await eventually(async () => expect(await database.store.textOf(id)).toBe('first draft.'))
    await eventually(async () => {
      const { rows } = await history.changes()
      expect(new Set(rows.flatMap(({ authors }) => authors))).toEqual(new Set(['ada', 'grace']))
    })
  })

  test('[D3] an update over maxUpdateBytes is refused before all of it is sent', async () => {
    const url = await instances.start({ authenticate, authorize, maxUpdateBytes: 100_000 })
    const notes = document(instances.client(url, { user: 'ada' }), newId())
    await eventually(() => expect(notes.current.loading).toBe(false))
    notes.text.insert(0, 'x'.repeat(300_000))
    const message = 'The update exceeds 100000 bytes (maxUpdateBytes).'
    await eventually(() => expect(notes.current.error).toMatchObject({ code: 'TOO_LARGE', message }))
  })

  test('[D12] saving ends with the client, if the server does not have its edits', async () => {
    const { client, notes, history } = open(0, 'ada', newId())
    client.connection.disconnect()
    notes.text.insert(0, 'offline')
    const saving = history.save('Never')
    void client.close()
    await expect(saving).rejects.toMatchObject({ code: 'CLOSED' })
  })

  test('[D12] the history is read with the right to read, changed with that to write', async () => {
    const id = newId()
    const [writer, reader] = [open(0, 'ada', id), open(1, 'reader', id)]
    writer.notes.text.insert(0, 'x'.repeat(100_000))
    const version = await writer.history.save('Long')
    // In parts.
    expect(textOf(await reader.history.read(version))).toHaveLength(100_000)
    expect(await namesOf(reader.history)).toEqual(['Long'])
    await expect(reader.history.save('Mine')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(reader.history.restore(version)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(reader.history.remove(version)).rejects.toMatchObject({ code: 'FORBIDDEN' })
    const secret = documentVersions(instances.client(urls[0] ?? '', { user: 'ada' }), 'other:1')
    await eventually(async () => await expect(secret.list()).rejects.toMatchObject({ code: 'FORBIDDEN' }))
    await expect(secret.changes()).rejects.toMatchObject({ code: 'FORBIDDEN' })
    await expect(secret.read(version)).rejects.toMatchObject({ code: 'FORBIDDEN' })
  })

  test('[D12] a document has at most maxVersions versions, and only its own', async () => {
    const [one, two] = [newId(), newId()]
    const [mine, others] = [open(0, 'ada', one), open(1, 'ada', two)]
    mine.notes.text.insert(0, 'a')
    const version = await mine.history.save('1')
    // Nothing has changed since: no edit is made.
    const state = Y.encodeStateVector(mine.notes.doc)
    await mine.history.restore(version)
    await mine.history.save('2')
    expect(Y.encodeStateVector(mine.notes.doc)).toEqual(state)
    await expect(mine.history.save('3')).rejects.toMatchObject({ code: 'TOO_LARGE' })
    expect(await namesOf(mine.history)).toEqual(['2', '1'])
    expect(await mine.history.list({ before: version })).toEqual({ rows: [], hasMore: false })
    await eventually(() => expect(others.notes.current.loading).toBe(false))
    await expect(others.history.read(version)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    await expect(others.history.restore(version)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    await expect(others.history.remove(version)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    await mine.history.remove(version)
    expect(await namesOf(mine.history)).toEqual(['2'])
    await expect(mine.history.remove(version)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' })
    expect(mine.notes.text.toJSON()).toBe('a')
    await mine.history.save('3')
    expect(await namesOf(mine.history)).toEqual(['3', '2'])
  })
})
