import 'fake-indexeddb/auto'
import { randomUUID } from 'node:crypto'
import type { PendingChangeStore, RealtimeClientOptions } from '@tutti/client'
import { createOfflineQueue } from '@tutti/client/offline-queue'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ModelServer } from '../model-server.ts'
import { settled, startClient, type TestClient } from '../setup-client.ts'

const TIMEOUT_MS = 3_000

interface Page extends TestClient {
  /** The page is closed without notice: its stored changes remain, and it does nothing more. */
  die(): void
}

function openPage(name: string, server: ModelServer, options: RealtimeClientOptions = {}): Page {
  const kept: PendingChangeStore[] = []
  const started = startClient(
    {
      offlineQueue: (context) => {
        const made = createOfflineQueue({ name })(context)
        kept.push(made)
        return made
      },
      ...options,
    },
    server,
  )
  return {
    ...started,
    die: () => {
      started.client.connection.disconnect()
      for (const one of kept) one.close()
    },
  }
}

/** Delivers messages until the check succeeds. */
const reaches = (server: ModelServer, check: () => void): Promise<unknown> => eventually(async () => (await server.flush(), check()))

const isConnected = (server: ModelServer, { client }: Page): Promise<unknown> =>
  reaches(server, () => expect(client.connection.current.status).toBe('connected'))

/** Lets the storage do what it can do without the clock. */
const storageSettles = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn++) await settled()
}

/** Opens the database beside the client, and keeps it open until it is closed. */
async function openBeside(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1)
  request.addEventListener('upgradeneeded', () => void request.result.createObjectStore('changes'))
  await new Promise((resolve, reject) => {
    request.addEventListener('success', resolve)
    request.addEventListener('error', reject)
  })
  onTestFinished(() => request.result.close())
  return request.result
}

/** How many keys the database has changes of. */
async function rowsOf(name: string): Promise<number> {
  const database = await openBeside(name)
  const request = database.transaction('changes').objectStore('changes').count()
  await new Promise((resolve) => request.addEventListener('success', resolve))
  database.close()
  return request.result
}

/** Keeps a transaction open, so that all later ones wait. Returns a function that ends it. */
async function occupy(name: string): Promise<() => void> {
  const database = await openBeside(name)
  let busy = true
  const { promise: begun, resolve } = Promise.withResolvers<void>()
  const store = database.transaction('changes', 'readwrite').objectStore('changes')
  const again = (): void => {
    resolve()
    if (busy) store.get('none').addEventListener('success', again)
  }
  again()
  store.get('none').addEventListener('success', () => resolve())
  await begun
  const end = (): void => void (busy = false)
  onTestFinished(end)
  return end
}

/** The databases that clients open from now on. */
function opened(): IDBDatabase[] {
  const databases: IDBDatabase[] = []
  const { open } = indexedDB
  vi.spyOn(indexedDB, 'open').mockImplementation((...parameters) => {
    const request = open.apply(indexedDB, parameters)
    request.addEventListener('success', () => databases.push(request.result))
    return request
  })
  onTestFinished(() => void vi.restoreAllMocks())
  return databases
}

/** No database opens until the returned function is called; earlier attempts never complete. */
function hangOpen(): () => void {
  vi.spyOn(indexedDB, 'open').mockImplementation(() => new IDBOpenDBRequest())
  const end = (): void => void vi.restoreAllMocks()
  onTestFinished(end)
  return end
}

/** No lock is granted or refused until the returned function is called. */
function hangLocks(): () => void {
  const { locks } = navigator
  const { request } = locks
  const { promise, resolve } = Promise.withResolvers<void>()
  vi.spyOn(locks, 'request').mockImplementation(async (...parameters: unknown[]) => {
    await promise
    return Reflect.apply(request, locks, parameters)
  })
  const end = (): void => {
    vi.restoreAllMocks()
    resolve()
  }
  onTestFinished(end)
  return end
}

/** The next page sends the changes of this one, so it shows what is stored. */
async function nextPageSends(name: string, server: ModelServer, page: Page, values: Record<string, unknown>): Promise<void> {
  page.die()
  await storageSettles()
  const next = openPage(name, server)
  await reaches(server, () => {
    for (const [key, value] of Object.entries(values)) expect(server.value(key)).toEqual(value)
  })
  expect(next.errors).toEqual([])
  next.die()
}

test.each([
  ['a database that does not open', hangOpen],
  ['a lock that is not granted', hangLocks],
])('[S14] with %s a client connects and sends its changes', async (_name, hang) => {
  hang()
  const server = new ModelServer()
  const page = openPage(randomUUID(), server)
  const done = page.client.state<number>('count', { default: 0 }).increment(1)
  await server.flush()
  expect(page.client.connection.current.status).toBe('connecting')
  page.clock.advance(TIMEOUT_MS)
  await isConnected(server, page)
  await reaches(server, () => expect(server.value('count')).toBe(1))
  await done
  // No change waits for the storage again.
  void page.client.state<number>('count', { default: 0 }).increment(1)
  await reaches(server, () => expect(server.value('count')).toBe(2))
  page.clock.advance(10 * TIMEOUT_MS)
  await storageSettles()
  expect(page.errors).toMatchObject([{ code: 'UNAVAILABLE', message: expect.stringContaining('3000 ms') }])
})

test.each([
  ['a database that did not open', hangOpen],
  ['a lock that was not granted', hangLocks],
])('[S14] after %s all unconfirmed changes are stored once it works again', async (_name, hang) => {
  const works = hang()
  const [name, server] = [randomUUID(), new ModelServer()]
  const page = openPage(name, server)
  page.client.connection.disconnect()
  void page.client.state<string>('first').set('a')
  void page.client.state<string>('second').set('b')
  page.clock.advance(TIMEOUT_MS)
  await storageSettles()
  expect(page.errors).toMatchObject([{ code: 'UNAVAILABLE' }])
  works()
  page.clock.advance(TIMEOUT_MS)
  await storageSettles()
  void page.client.state<string>('third').set('c')
  await eventually(async () => expect(await rowsOf(name)).toBe(3))
  await nextPageSends(name, server, page, { first: 'a', second: 'b', third: 'c' })
  expect(page.errors).toHaveLength(1)
})

test('[S14] a database that opens late stores all changes, without another one', async () => {
  const [name, server] = [randomUUID(), new ModelServer()]
  const other = await openBeside(name)
  // It waits until the other connection is closed, and later attempts to open the database wait for it.
  indexedDB.deleteDatabase(name)
  const page = openPage(name, server)
  page.client.connection.disconnect()
  void page.client.state<string>('first').set('a')
  await storageSettles()
  page.clock.advance(TIMEOUT_MS)
  await storageSettles()
  expect(page.errors).toMatchObject([{ code: 'UNAVAILABLE' }])
  other.close()
  await eventually(async () => expect(await rowsOf(name)).toBe(1))
  await nextPageSends(name, server, page, { first: 'a' })
})

test('[S14] a database of a newer version is reported once, and changes are sent', async () => {
  const [name, server] = [randomUUID(), new ModelServer()]
  const request = indexedDB.open(name, 2)
  await new Promise((resolve) => request.addEventListener('success', resolve))
  onTestFinished(() => request.result.close())
  const page = openPage(name, server)
  await isConnected(server, page)
  void page.client.state<number>('count', { default: 0 }).increment(1)
  await reaches(server, () => expect(server.value('count')).toBe(1))
  expect(page.errors).toMatchObject([{ code: 'UNAVAILABLE', cause: { name: 'VersionError' } }])
})

test('[S14] a change not written in time is sent, and never written late if outdated', async () => {
  const [name, server] = [randomUUID(), new ModelServer()]
  const page = openPage(name, server)
  await isConnected(server, page)
  const count = page.client.state<number>('count', { default: 0 })
  const end = await occupy(name)
  void count.increment(1)
  await server.flush()
  expect(server.value('count')).toBeUndefined()
  page.clock.advance(TIMEOUT_MS)
  await reaches(server, () => expect(count.current).toMatchObject({ value: 1, pending: false }))
  expect(page.errors).toMatchObject([{ code: 'UNAVAILABLE' }])
  page.client.connection.disconnect()
  void page.client.state<string>('text').set('kept')
  end()
  await eventually(async () => expect(await rowsOf(name)).toBe(1))
  await storageSettles()
  await nextPageSends(name, server, page, { text: 'kept', count: 1 })
  expect(server.logged('storage:increment')).toHaveLength(1)
  expect(page.errors).toHaveLength(1)
})

test('[S14] a closed page releases its changes only after all are written', async () => {
  const [name, server] = [randomUUID(), new ModelServer()]
  const page = openPage(name, server)
  await isConnected(server, page)
  page.client.connection.disconnect()
  void page.client.state<number>('count', { default: 0 }).increment(1)
  await eventually(async () => expect(await rowsOf(name)).toBe(1))
  const end = await occupy(name)
  void page.client.state<number>('count', { default: 0 }).increment(10)
  page.clock.advance(TIMEOUT_MS)
  page.die()
  page.clock.advance(TIMEOUT_MS)
  await storageSettles()
  const next = openPage(name, server)
  await storageSettles()
  next.clock.advance(TIMEOUT_MS)
  await isConnected(server, next)
  end()
  await storageSettles()
  next.client.connection.disconnect()
  next.client.connection.connect()
  await reaches(server, () => expect(server.value('count')).toBe(11))
  await eventually(async () => expect(await rowsOf(name)).toBe(0))
  expect(server.logged('storage:increment')).toHaveLength(1)
  next.die()
})

test.each(['close', 'terminate'])('[S14] a database closed by the browser is opened again, with all changes (%s)', async (how) => {
  const databases = opened()
  const [name, server] = [randomUUID(), new ModelServer()]
  const page = openPage(name, server)
  await isConnected(server, page)
  page.client.connection.disconnect()
  void page.client.state<string>('first').set('a')
  await eventually(async () => expect(await rowsOf(name)).toBe(1))
  const [database] = databases
  database?.close()
  // The browser also deletes the data, as under storage pressure.
  indexedDB.deleteDatabase(name)
  await storageSettles()
  if (how === 'terminate') database?.dispatchEvent(new IDBVersionChangeEvent('close'))
  else void page.client.state<string>('second').set('b')
  await eventually(async () => expect(await rowsOf(name)).toBe(how === 'terminate' ? 1 : 2))
  await nextPageSends(name, server, page, how === 'terminate' ? { first: 'a' } : { first: 'a', second: 'b' })
  expect(page.errors).toEqual([])
})

test('[S14] changes not restored in time are restored with the next connect', async () => {
  const [name, server] = [randomUUID(), new ModelServer()]
  const first = openPage(name, server)
  first.client.connection.disconnect()
  void first.client.state<string>('text').set('of the first page')
  await eventually(async () => expect(await rowsOf(name)).toBe(1))
  first.die()
  await storageSettles()
  const works = hangOpen()
  const page = openPage(name, server)
  for (let tries = 0; tries < 2; tries++) {
    await storageSettles()
    page.clock.advance(TIMEOUT_MS)
  }
  await isConnected(server, page)
  expect(page.client.state('text').current.value).toBeUndefined()
  works()
  page.client.connection.disconnect()
  page.client.connection.connect()
  await reaches(server, () => expect(server.value('text')).toBe('of the first page'))
  expect(page.errors).toMatchObject([{ code: 'UNAVAILABLE' }])
  expect(server.logged('storage:set')).toHaveLength(1)
})

test("[S14] late restored changes are sent once, before this page's unsent ones", async () => {
  const [name, server] = [randomUUID(), new ModelServer()]
  const first = openPage(name, server)
  first.client.connection.disconnect()
  void first.client.state<string>('text').set('earlier')
  void first.client.state<number>('count', { default: 0 }).increment(1)
  await eventually(async () => expect(await rowsOf(name)).toBe(2))
  first.die()
  await storageSettles()
  // The changes are found, but not in time.
  const end = await occupy(name)
  const page = openPage(name, server)
  await storageSettles()
  page.clock.advance(TIMEOUT_MS)
  await isConnected(server, page)
  void page.client.state<number>('count', { default: 0 }).increment(10)
  page.clock.advance(TIMEOUT_MS)
  await reaches(server, () => expect(server.value('count')).toBe(10))
  page.client.connection.disconnect()
  void page.client.state<string>('text').set('later')
  page.client.connection.connect()
  page.clock.advance(TIMEOUT_MS)
  page.client.connection.disconnect()
  await storageSettles()
  end()
  await eventually(async () => expect(await rowsOf(name)).toBe(2))
  await storageSettles()
  expect(page.client.state('text').current.value).toBe('later')
  page.client.connection.connect()
  await reaches(server, () => {
    expect(server.value('count')).toBe(11)
    expect(server.value('text')).toBe('later')
  })
  expect(server.logged('storage:increment').map(({ by }) => by)).toEqual([10, 1])
  await eventually(async () => expect(await rowsOf(name)).toBe(0))
  expect(page.errors).toMatchObject([{ code: 'UNAVAILABLE' }])
})

test('[S14] a platform without IndexedDB is reported once, as UNSUPPORTED', async () => {
  vi.stubGlobal('indexedDB', undefined)
  onTestFinished(() => void vi.unstubAllGlobals())
  const server = new ModelServer()
  const page = openPage(randomUUID(), server)
  await isConnected(server, page)
  void page.client.state<number>('count', { default: 0 }).increment(1)
  await reaches(server, () => expect(server.value('count')).toBe(1))
  expect(page.errors).toMatchObject([{ code: 'UNSUPPORTED' }])
})
