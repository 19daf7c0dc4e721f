import { eventually, startPostgres, startTcpProxy } from '@tutti/test-kit'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { postgresStore, type DocumentStore } from '../src/server/index.ts'
import { createFaultyStore, type FaultyStore } from './faulty-store.ts'
import { createInstances, type Instances } from './instances.ts'
import { useRedisAndPostgresql } from './redis-and-postgresql.ts'

const place = useRedisAndPostgresql()
let faulty: FaultyStore
let instances: Instances
let alarms: unknown[] = []
let count = 0

beforeEach(() => {
  alarms = []
  faulty = createFaultyStore(place.store)
})
afterEach(() => instances.stop())

const newIds = (): string[] => ['a', 'b', 'c'].map((name) => `${name}:${(count += 1)}`)
const create = (store: DocumentStore, redisUrl: string | undefined): Instances =>
  createInstances(store, redisUrl, (error) => alarms.push(error))

/** Starts an instance, and opens documents on it that the database has. */
async function openAll(ids: readonly string[], options: Parameters<Instances['start']>[0] = {}) {
  const url = await instances.start(options)
  const open = ids.map((id) => instances.open(url, id))
  for (const { text } of open) text.insert(0, 'before')
  await eventually(async () => expect(await Promise.all(ids.map((id) => place.store.textOf(id)))).toEqual(ids.map(() => 'before')))
  return { url, open }
}

describe('with Redis', () => {
  beforeEach(() => {
    instances = create(faulty.store, place.redis.url)
  })

  test('[D5] edits are acknowledged in an outage, and stored in batches later', async () => {
    const ids = newIds()
    const { open } = await openAll(ids, { storeIntervalMs: 40 })
    faulty.isAway = true
    for (const { text } of open) text.insert(0, 'during, ')
    await eventually(() => expect(open.map(({ current }) => current)).toMatchObject(ids.map(() => ({ synced: true, stored: false }))))
    await eventually(() => expect(alarms).toMatchObject([{ code: 'UNAVAILABLE' }]))
    for (const { text } of open) text.insert(0, 'still ')
    await eventually(() => expect(open.every(({ current }) => current.synced && !current.failing)).toBe(true))
    // The edits of all are due.
    await eventually(() => expect(faulty.tried.toSorted()).toEqual(ids))
    faulty.appends.length = 0
    faulty.isAway = false
    await eventually(() => expect(open.every(({ current }) => current.stored)).toBe(true))
    expect(faulty.appends[0]?.toSorted()).toEqual(ids)
    expect(alarms).toHaveLength(1)
    expect(instances.documents[0]?.failing()).toEqual([])
  })

  test('[D5] a refused document is listed, stays open to all, and is stored later', async () => {
    const [bad = '', good = ''] = newIds()
    const { open } = await openAll([bad, good], { retryMs: 50 })
    const other = instances.open(await instances.start({ retryMs: 50 }), bad)
    await eventually(() => expect(other.text.toJSON()).toBe('before'))
    faulty.refused.add(bad)
    let edits = 0
    const typing = setInterval(() => open[1]?.text.insert(0, String((edits += 1) % 10)), 10)
    onTestFinished(() => clearInterval(typing))
    open[0]?.text.insert(0, 'refused, ')
    await eventually(() => expect(open.map(({ current }) => current.failing)).toEqual([true, false]))
    await eventually(() => expect(instances.documents[0]?.failing()).toMatchObject([{ id: bad, error: { message: expect.any(String) } }]))
    const failures = instances.documents[0]?.failing()[0]?.failures ?? 0
    await eventually(() => expect(instances.documents[0]?.failing()[0]?.failures).toBeGreaterThan(failures))
    other.text.insert(0, 'still ')
    await eventually(() => expect(open[0]?.text.toJSON()).toBe('still refused, before'))
    // What is shown is never stored while a user types.
    clearInterval(typing)
    await eventually(() => expect(open[1]?.current.stored).toBe(true))
    expect(alarms.filter((error) => !String(error).includes('Refused'))).toEqual([])
    // One for each instance that has the document at most.
    expect(alarms.length).toBeLessThanOrEqual(2)
    faulty.refused.clear()
    await eventually(() => expect(open[0]?.current).toMatchObject({ stored: true, failing: false }))
    await eventually(() => expect(instances.documents.flatMap((each) => each.failing())).toEqual([]))
    expect((await place.store.load(bad))?.offset).toBeGreaterThan(0)
  })

  test('[D6] a document that no client has open stays in memory until it is stored', async () => {
    const ids = newIds()
    const { open } = await openAll(ids)
    faulty.isAway = true
    for (const { text } of open) text.insert(0, 'unsaved, ')
    await eventually(() => expect(open.every(({ current }) => current.synced)).toBe(true))
    for (const { dispose } of open) dispose()
    await eventually(() => expect(alarms).toHaveLength(1))
    // It is unloaded after 20 ms otherwise, and each attempt is refused.
    const { attempts } = faulty
    await eventually(() => expect(faulty.attempts).toBeGreaterThan(attempts + 2))
    faulty.isAway = false
    await eventually(async () =>
      expect(await Promise.all(ids.map((id) => place.store.textOf(id)))).toEqual(ids.map(() => 'unsaved, before')),
    )
    expect(alarms).toHaveLength(1)
  })

  test('[D4] an open document that was removed from the database is stored again', async () => {
    const [id = ''] = newIds()
    const { open } = await openAll([id])
    await place.store.remove(id)
    open[0]?.text.insert(0, 'again, ')
    await eventually(async () => expect(await place.store.textOf(id)).toBe('again, before'))
    expect(alarms).toEqual([])
  })
})

describe('without Redis', () => {
  beforeEach(() => {
    instances = create(faulty.store, undefined)
  })

  test('[D5] an outage is one alarm, and clients keep their edits until it ends', async () => {
    const ids = newIds()
    const { open } = await openAll(ids)
    faulty.isAway = true
    for (const { text } of open) text.insert(0, 'during, ')
    await eventually(() => expect(alarms).toMatchObject([{ code: 'UNAVAILABLE' }]))
    expect(open.map(({ current }) => current)).toMatchObject(ids.map(() => ({ synced: false, pendingUpdates: 1, readOnly: false })))
    faulty.isAway = false
    await eventually(() => expect(open.every(({ current }) => current.synced && current.stored)).toBe(true))
    expect(alarms).toHaveLength(1)
  })

  test('[D5] a document that is refused does not harm others', async () => {
    const ids = newIds()
    const { open } = await openAll(ids)
    const [bad, ...good] = open
    faulty.refused.add(bad?.id ?? '')
    // The first is stored alone, the others together.
    for (const { text } of [good[0], bad, good[1]].flatMap((each) => each ?? [])) text.insert(0, 'more, ')
    await eventually(() => expect(bad?.current.error).toBeDefined())
    expect(bad?.current).toMatchObject({ synced: false, pendingUpdates: 1 })
    await eventually(() => expect(good.map(({ current }) => current)).toMatchObject(good.map(() => ({ synced: true, error: undefined }))))
  })
})

test('[D5] an instance runs with a database that is absent or does not reply', async () => {
  const postgres = await startPostgres()
  onTestFinished(() => postgres.stop())
  const url = await postgres.createDatabase()
  const proxy = await startTcpProxy({ host: postgres.host, port: postgres.port })
  onTestFinished(() => proxy.close())
  await postgres.kill()
  const store = postgresStore({ url: url.replace(`:${postgres.port}/`, `:${proxy.port}/`) })
  store.ready.catch(() => {})
  instances = create(store, place.redis.url)
  const [id = ''] = newIds()
  const text = instances.open(await instances.start({ databaseTimeoutMs: 500 }), id)
  text.text.insert(0, 'first')
  await eventually(() => expect(alarms).toMatchObject([{ code: 'UNAVAILABLE' }]))
  await postgres.start()
  await eventually(async () => expect(await store.textOf(id)).toBe('first'))
  await eventually(() => expect(text.current.stored).toBe(true))
  proxy.stall()
  text.text.insert(5, ', second')
  await eventually(() => expect(alarms.at(-1)).toMatchObject({ message: expect.stringContaining('databaseTimeoutMs') }))
  await eventually(() => expect(text.current).toMatchObject({ synced: true, stored: false }))
  proxy.flow()
  await eventually(() => expect(text.current.stored).toBe(true))
  await store.close()
})
