import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Driver } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import memoryDriver from 'unstorage/drivers/memory'
import { beforeEach, expect, test } from 'vitest'
import { reactiveDriver, type ReactiveDriver } from '../src/index.ts'
import { freshAuthor, record } from '../src/testing/store-under-test.ts'

let inner: Driver
let time: number
const now = () => time
const author = { user: 'u', clientId: 'c', number: 1 }

beforeEach(() => {
  inner = memoryDriver()
  time = 1_700_000_000_000
})

/** A driver over `inner` that fails at some calls, as a dying process or a full disk would. */
const failing = (fails: (method: 'getItem' | 'setItem' | 'removeItem', key: string) => boolean): Driver => {
  const check = (method: 'getItem' | 'setItem' | 'removeItem', key: string): void => {
    if (fails(method, key)) throw new Error(`${method} ${key} failed`)
  }
  return {
    ...inner,
    getItem: (key) => (check('getItem', key), inner.getItem(key)),
    setItem: (key, text) => (check('setItem', key), inner.setItem?.(key, text, {})),
    removeItem: (key) => (check('removeItem', key), inner.removeItem?.(key, {})),
  }
}

/** Every way to die between the record of a write and its value: nothing of the driver works from then on. */
const dying = (key: string): Driver => {
  let dead = false
  return failing((method, name) => (dead ||= method !== 'getItem' && name === key))
}

test('[S12] a write that died between its record and its value is finished at the next access, told, and answered as it was meant', async () => {
  const first = reactiveDriver(inner, { now })
  const before = await first.write({ op: 'set', key: 'a', value: 1 })
  await expect(reactiveDriver(dying('a'), { now }).write({ op: 'increment', key: 'a', by: 1, author })).rejects.toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  })
  expect(await inner.getItem('a')).toBe('1')
  const second = reactiveDriver(inner, { now })
  const told = await record(second, 'a')
  const [entry] = await second.read(['a'])
  expect(entry).toMatchObject({ value: 2 })
  expect(entry?.version).toBeGreaterThan(before.version)
  expect(await inner.getItem('a')).toBe('2')
  expect(await second.write({ op: 'increment', key: 'a', by: 1, author })).toEqual({ version: entry?.version, value: 2 })
  expect(told.changes).toEqual([entry])
})

test('[S12] the same holds for creations and removals, and when the next access is a write', async () => {
  await expect(reactiveDriver(dying('new'), { now }).write({ op: 'set', key: 'new', value: 1, author })).rejects.toThrow()
  expect(await reactiveDriver(inner, { now }).write({ op: 'increment', key: 'new', by: 1 })).toMatchObject({ value: 2 })
  await expect(reactiveDriver(dying('new'), { now }).write({ op: 'remove', key: 'new' })).rejects.toThrow()
  expect(await inner.getItem('new')).toBe('2')
  expect(await reactiveDriver(inner, { now }).read(['new'])).toMatchObject([{ removed: true }])
  expect(await inner.getItem('new')).toBe(null)
})

test('[S20] what another program stored in the middle of it, or put back later, is not taken for an unfinished write', async () => {
  await reactiveDriver(inner, { now }).write({ op: 'set', key: 'a', value: 1 })
  await expect(reactiveDriver(dying('a'), { now }).write({ op: 'set', key: 'a', value: 2 })).rejects.toThrow()
  await inner.setItem?.('a', '3', {})
  const store = reactiveDriver(inner, { now })
  expect(await store.read(['a'])).toMatchObject([{ value: 3 }])
  await store.write({ op: 'set', key: 'a', value: 4 })
  await inner.setItem?.('a', '3', {})
  expect(await store.read(['a'])).toMatchObject([{ value: 3 }])
  await store.write({ op: 'set', key: 'b', value: 4 })
  await inner.removeItem?.('b', {})
  expect(await store.read(['b'])).toMatchObject([{ removed: true }])
})

test('[F2] a driver that fails before anything was written refuses as retryable; nothing is changed', async () => {
  for (const fails of [
    (method: string) => method === 'getItem',
    (method: string, key: string) => method === 'setItem' && key.endsWith('$state'),
  ]) {
    const store = reactiveDriver(failing(fails), { now })
    await expect(store.write({ op: 'set', key: 'a', value: 1, author })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: expect.any(Error),
    })
  }
  expect(await reactiveDriver(inner, { now }).read(['a'])).toEqual([{ key: 'a', version: 0, removed: true }])
})

test('[F2] a driver that refuses one value only leaves the key as it was', async () => {
  const store = reactiveDriver(
    failing((method, key) => method === 'setItem' && key === 'a'),
    { now },
  )
  const told = await record(store, 'a')
  await expect(store.write({ op: 'set', key: 'a', value: 1, author })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await store.read(['a'])).toEqual([{ key: 'a', version: 0, removed: true }])
  expect(await inner.getKeys('', {})).toEqual([])
  expect(told.changes).toEqual([])
})

test('[F2] a driver that hands back its error instead of throwing it counts as failing', async () => {
  const store = reactiveDriver({ ...inner, getItem: () => new Error('EACCES') }, { now })
  await expect(store.read(['a'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('[S1] versions grow by the clock, or by one where the clock stands still or goes back', async () => {
  const store = reactiveDriver(inner, { now })
  const versions: number[] = []
  for (const step of [0, 0, 5, -10_000, 20_000]) {
    time += step
    versions.push((await store.write({ op: 'set', key: 'a', value: 1 })).version)
  }
  const start = 1_700_000_000_000_000
  expect(versions).toEqual([start, start + 1, start + 5_000, start + 5_001, start + 10_005_000])
})

test('[S1] [S12] versions, tombstones and memories survive a restart of the process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-store-'))
  const open = (): ReactiveDriver => reactiveDriver(fsDriver({ base: folder }), { now })
  const write = { op: 'increment', key: 'a:b', by: 1, author } as const
  const done = await open().write(write)
  expect(await open().write(write)).toEqual(done)
  const removed = await open().write({ op: 'remove', key: 'a:b' })
  expect(await open().read(['a:b'])).toEqual([{ key: 'a:b', version: removed.version, removed: true }])
  await expect(open().write({ op: 'set', key: 'a:b', value: 1, ifVersion: done.version })).rejects.toMatchObject({ code: 'CONFLICT' })
  expect((await open().write({ op: 'set', key: 'a:b', value: 1 })).version).toBeGreaterThan(removed.version)
  await rm(folder, { recursive: true })
})

test('[S12] memories are kept for mutationMemoryMs and not longer', async () => {
  const store = reactiveDriver(inner, { now, mutationMemoryMs: 1_000 })
  await store.write({ op: 'increment', key: 'a', by: 1, author })
  time += 999
  expect(await store.write({ op: 'increment', key: 'a', by: 1, author })).toMatchObject({ value: 1 })
  time += 1
  expect(await store.write({ op: 'increment', key: 'a', by: 1, author })).toMatchObject({ value: 2 })
  for (let client = 0; client < 10; client++) {
    time += 1_000
    await store.write({ op: 'increment', key: 'a', by: 1, author: freshAuthor() })
  }
  expect(String(await inner.getItem('a$state')).match(/verdict/g)).toHaveLength(1)
})

test('[S1] reindex forgets keys removed longer than tombstoneMs ago, unless a mutation is remembered', async () => {
  const store = reactiveDriver(inner, { now, tombstoneMs: 1_000 })
  await store.write({ op: 'remove', key: 'old' })
  await store.write({ op: 'remove', key: 'remembered', author })
  await store.write({ op: 'set', key: 'kept', value: 1 })
  time += 900
  await store.write({ op: 'remove', key: 'young' })
  time += 200
  await store.reindex()
  expect(await inner.getKeys('', {})).toEqual(['remembered$state', 'kept$state', 'kept', 'young$state'])
})

test("[F2] the deadline is judged when the write's turn comes, not when it was asked for", async () => {
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  const slow: Driver = { ...inner, getItem: async (key) => (await gate, inner.getItem(key)) }
  const store = reactiveDriver(slow, { now, writeTimeoutMs: 1_000 })
  const write = store.write({ op: 'set', key: 'a', value: 1 })
  time += 1_001
  go()
  await expect(write).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  expect(await inner.getItem('a')).toBe(null)
})

test('[S18] an entry ends at its time, and its listeners are told when it is next looked at', async () => {
  const store = reactiveDriver(inner, { now })
  const told = await record(store, 'a')
  await store.write({ op: 'set', key: 'a', value: 1, ttlMs: 1_000 })
  time += 999
  expect(await store.read(['a'])).toMatchObject([{ value: 1 }])
  time += 1
  expect(await store.read(['a'])).toMatchObject([{ removed: true }])
  expect(told.changes.map(({ expiresAt, removed }) => expiresAt ?? removed)).toEqual([1_700_000_001_000, true])
})

test("[S21] a driver's methods are called bound to it, and its own keys are understood", async () => {
  class Shelf {
    readonly items = new Map<string, string>()
    hasItem(key: string) {
      return this.items.has(key)
    }
    getItem(key: string) {
      return this.items.get(key) ?? null
    }
    setItem(key: string, text: string) {
      this.items.set(key, text)
    }
    removeItem(key: string) {
      this.items.delete(key)
    }
    getKeys() {
      return [...this.items.keys()].map((key) => key.replaceAll(':', '/'))
    }
  }
  const store = reactiveDriver(new Shelf())
  await store.write({ op: 'set', key: 'a:b', value: 1 })
  await store.write({ op: 'remove', key: 'a:c' })
  expect(await store.getKeys('', {})).toEqual(['a:b'])
  expect((await store.list('a:')).entries).toMatchObject([{ key: 'a:b', value: 1 }])
})

test('[S21] a driver that cannot write is refused', () => {
  const { setItem: _, ...readOnly } = inner
  expect(() => reactiveDriver(readOnly)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})

test('[S20] a record that is damaged is no record: the value counts as foreign', async () => {
  const store = reactiveDriver(inner, { now })
  await store.write({ op: 'set', key: 'a', value: 1 })
  for (const damaged of ['{"version":17', 'null', '{"version":"x"}', '[]', '{"version":1,"text":5,"before":""}']) {
    await inner.setItem?.('a$state', damaged, {})
    const [entry] = await store.read(['a'])
    expect(entry).toMatchObject({ value: 1 })
    expect(entry?.version).toBeGreaterThan(0)
  }
})

test('[S20] bytes and objects that a driver gives back are values too', async () => {
  const stored = new Map<string, unknown>([
    ['bytes', new Uint8Array([1, 2])],
    ['object', { a: 1 }],
  ])
  const store = reactiveDriver({ ...inner, getItem: (key) => (stored.get(key) ?? inner.getItem(key)) as string })
  expect(await store.read(['bytes', 'object'])).toMatchObject([{ value: 'base64:AQI=' }, { value: { a: 1 } }])
})

test('[S17] what is written while the driver is being listed is listed', async () => {
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  const store = reactiveDriver({ ...inner, getKeys: async () => (await gate, []) })
  const listing = store.list('')
  await store.write({ op: 'set', key: 'a', value: 1 })
  go()
  expect((await listing).entries).toMatchObject([{ key: 'a' }])
})

test('[S17] a listing that failed is tried again', async () => {
  let fails = true
  const store = reactiveDriver({
    ...inner,
    getKeys: (base, options) => (fails ? Promise.reject(new Error('away')) : inner.getKeys(base, options)),
  })
  await inner.setItem?.('a', '1', {})
  await expect(store.list('')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  fails = false
  expect((await store.list('')).entries).toMatchObject([{ key: 'a' }])
})

test('options that cannot work are refused with INVALID_OPTIONS', () => {
  const wrong = [{ inlineValueMaxBytes: -1 }, { mutationMemoryMs: 0 }, { tombstoneMs: 1.5 }, { writeTimeoutMs: Number.NaN }]
  for (const options of wrong) expect(() => reactiveDriver(inner, options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})
