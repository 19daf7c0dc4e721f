import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countItems } from '@tutti/test-kit'
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

/** The record stored beside the value of `a`. */
const storedRecord = async () => {
  const text = await inner.getItem('a$state')
  return typeof text === 'string' ? JSON.parse(text) : undefined
}

test('[S1] versions follow the clock, or increase by one if the clock does not advance', async () => {
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
  expect(JSON.stringify(await inner.getItem('a$state')).match(/verdict/g)).toHaveLength(1)
})

test('[S1] reindex drops old tombstones unless a mutation of the key is remembered', async () => {
  const store = reactiveDriver(inner, { now, tombstoneMs: 1_000 })
  await store.write({ op: 'remove', key: 'old' })
  await store.write({ op: 'remove', key: 'remembered', author })
  await store.write({ op: 'set', key: 'kept', value: 1 })
  await store.write({ op: 'set', key: 'unfinished', value: 1 })
  await inner.removeItem?.('unfinished', {})
  await inner.setItem?.('damaged$state', '{', {})
  time += 900
  await store.write({ op: 'remove', key: 'young' })
  time += 100
  await store.reindex()
  expect(await inner.getKeys('', {})).toContain('old$state')
  time += 1
  await store.reindex()
  expect(await inner.getKeys('', {})).toEqual(['remembered$state', 'kept$state', 'kept', 'unfinished$state', 'young$state'])
})

test('[F2] the deadline is checked when the write begins, not when it was requested', async () => {
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  const slow: Driver = { ...inner, getItem: async (key) => (await gate, inner.getItem(key)) }
  const store = reactiveDriver(slow, { now, writeTimeoutMs: 1_000 })
  const write = store.write({ op: 'set', key: 'a', value: 1 })
  time += 1_001
  go()
  await expect(write).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  expect(await inner.getItem('a')).toBe(null)
  // The deadline itself is in time.
  await store.write({ op: 'set', key: 'a', value: 1 }, { deadline: time })
  expect(await inner.getItem('a')).toBe('1')
})

test('[S18] an entry expires at its time, and is announced at the next read', async () => {
  const store = reactiveDriver(inner, { now })
  const announced = await record(store, 'a')
  await store.write({ op: 'set', key: 'a', value: 1, ttlMs: 1_000 })
  time += 999
  expect(await store.read(['a'])).toMatchObject([{ value: 1 }])
  time += 1
  expect(await store.read(['a'])).toMatchObject([{ removed: true }])
  expect(announced.changes.map(({ expiresAt, removed }) => expiresAt ?? removed)).toEqual([1_700_000_001_000, true])
})

test('[S18] an undefined lifetime means none', async () => {
  const store = reactiveDriver(inner, { now })
  const announced = await record(store, 'a')
  await store.write({ op: 'set', key: 'a', value: 1, ttlMs: undefined })
  await store.setItem?.('a', '2', {})
  for (const change of announced.changes) expect(change).not.toHaveProperty('expiresAt')
  expect(announced.changes).toHaveLength(2)
})

test("[S21] a driver's methods are called bound to it, and its own keys are parsed", async () => {
  class Shelf {
    readonly items = new Map<string, string>()
    hasItem(key: string) {
      return this.items.has(key)
    }
    getItem(key: string) {
      // Some drivers return undefined for absent items.
      return this.items.get(key) as string
    }
    setItem(key: string, text: string) {
      this.items.set(key, text)
    }
    removeItem(key: string) {
      this.items.delete(key)
    }
    getKeys(base: string) {
      return [...this.items.keys()].filter((key) => key.startsWith(base)).map((key) => `/${key.replaceAll(':', '/')}`)
    }
  }
  const store = reactiveDriver(new Shelf())
  await store.write({ op: 'set', key: 'a:b', value: 1 })
  await store.write({ op: 'remove', key: 'a:c' })
  expect(await store.getKeys('', {})).toEqual(['a:b'])
  expect((await store.list('a:')).entries).toMatchObject([{ key: 'a:b', value: 1 }])
  expect(await store.read(['a:never'])).toEqual([{ key: 'a:never', version: 0, removed: true }])
})

test('[S21] a read-only driver is refused', () => {
  for (const missing of ['setItem', 'removeItem']) {
    expect(() => reactiveDriver({ ...inner, [missing]: undefined })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  }
})

test('[S20] a damaged record is ignored: the value counts as foreign', async () => {
  const store = reactiveDriver(inner, { now })
  await store.write({ op: 'set', key: 'a', value: 1 })
  const whole = { version: 17, text: '1', before: '', memories: {} }
  const parts = [{ version: '17' }, { text: 5 }, { text: undefined }, { before: 5 }].map((part) => JSON.stringify({ ...whole, ...part }))
  for (const damaged of ['{"version":17', 'null', '{"version":"x"}', '[]', ...parts]) {
    await inner.setItem?.('a$state', damaged, {})
    expect(await store.read(['a'])).toEqual([{ key: 'a', version: time * 1000, value: 1 }])
  }
  await inner.setItem?.('a$state', JSON.stringify({ ...whole, expiresAt: null }), {})
  expect(await store.read(['a'])).toEqual([{ key: 'a', version: 17, value: 1 }])
})

test('[S12] [S20] a damaged memory is ignored and does not affect others', async () => {
  const store = reactiveDriver(inner, { now })
  const other = { ...author, clientId: 'other' }
  const { version } = await store.write({ op: 'increment', key: 'a', by: 1, author: other })
  const record = await storedRecord()
  const whole = { number: 1, verdict: 'ok', version: 5, at: time, result: 9 }
  for (const damaged of [
    null,
    ...[{ number: '2' }, { version: '5' }, { at: String(time) }, { verdict: 'late' }].map((part) => ({ ...whole, ...part })),
  ]) {
    await inner.setItem?.('a$state', JSON.stringify({ ...record, memories: { ...record.memories, 'u:c': damaged } }), {})
    await inner.setItem?.('a', '1', {})
    expect(await store.write({ op: 'increment', key: 'a', by: 1, author })).toEqual({ version: version + 1, value: 2 })
    expect(await store.write({ op: 'increment', key: 'a', by: 1, author: other })).toEqual({ version, value: 1 })
  }
  await inner.setItem?.('a$state', JSON.stringify({ ...record, memories: { 'u:c': { ...whole, result: '9' } } }), {})
  expect(await store.write({ op: 'set', key: 'a', value: 1, author })).toEqual({ version: 5 })
})

test('[S20] bytes and objects returned by a driver are values too', async () => {
  const stored = new Map<string, unknown>([
    ['bytes', new Uint8Array([1, 2])],
    ['object', { a: 1 }],
  ])
  const store = reactiveDriver({ ...inner, getItem: (key) => (stored.get(key) ?? inner.getItem(key)) as string })
  expect(await store.read(['bytes', 'object'])).toMatchObject([{ value: 'base64:AQI=' }, { value: { a: 1 } }])
})

test('[S17] a key written during the listing of the driver is listed', async () => {
  let go = (): void => {}
  const gate = new Promise<void>((resolve) => (go = resolve))
  const store = reactiveDriver({ ...inner, getKeys: async () => (await gate, []) })
  const listing = store.list('')
  await store.write({ op: 'set', key: 'a', value: 1 })
  go()
  expect((await listing).entries).toMatchObject([{ key: 'a' }])
})

test('[S17] a failed listing is repeated', async () => {
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

test('[S11] an error of a listener goes to onError, with the stage', async () => {
  const errors: unknown[] = []
  const store = reactiveDriver(inner, { onError: (error, { stage }) => errors.push([stage, error]) })
  const broken = new Error('The listener is broken.')
  store.onChange(() => {
    throw broken
  })
  await store.write({ op: 'set', key: 'a', value: 1 })
  expect(errors).toEqual([['listener', broken]])
})

test('options that cannot work are refused with INVALID_OPTIONS', () => {
  const wrong = [{ inlineValueMaxBytes: -1 }, { mutationMemoryMs: 0 }, { tombstoneMs: 1.5 }, { writeTimeoutMs: Number.NaN }]
  for (const options of wrong) {
    const message = expect.stringContaining(Object.keys(options).join(' '))
    expect(() => reactiveDriver(inner, options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS', message }))
  }
  // The smallest valid values are accepted.
  reactiveDriver(inner, { inlineValueMaxBytes: 0, mutationMemoryMs: 1, tombstoneMs: 1, writeTimeoutMs: 1 })
})

test('[F4] memory is bounded: it retains names and a limited number of versions', async () => {
  const { made: store, items } = await countItems(async () => {
    const made = reactiveDriver(inner, { now })
    await made.list('')
    return made
  })
  const set = (key: string, value: number) => store.write({ op: 'set', key, value })
  await set('often', 1)
  for (let place = 0; place < 10_000; place++) {
    await set('key', place)
    await store.write({ op: 'remove', key: `key:${place}` })
    if (place === 9_000) await set('often', 2)
  }
  // The existing keys, and the writes known to be complete.
  expect(items()).toBe(2 + 10_000)
  // The newest writes are known longest: so this is a value of another program, not a write to complete.
  await inner.setItem?.('often', '1', {})
  expect(await store.read(['often'])).toMatchObject([{ value: 1 }])
  store.onChange(() => {})
  await store.dispose()
  expect(items()).toBe(2 + 10_000)
})
