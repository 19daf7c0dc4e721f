import type { Driver } from 'unstorage'
import memoryDriver from 'unstorage/drivers/memory'
import { beforeEach, expect, test } from 'vitest'
import { reactiveDriver } from '../src/index.ts'
import { record } from '../src/testing/store-under-test.ts'

let inner: Driver
const now = () => 1_700_000_000_000
const author = { user: 'u', clientId: 'c', number: 1 }

beforeEach(() => {
  inner = memoryDriver()
})

/** The record stored beside the value of `a`. */
const storedRecord = async () => {
  const text = await inner.getItem('a$state')
  return typeof text === 'string' ? JSON.parse(text) : undefined
}

/** A driver over `inner` that fails in some calls, like a dying process or a full disk. */
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

/** A crash between the record of a write and its value: all later calls of the driver fail. */
const dying = (key: string): Driver => {
  let dead = false
  return failing((method, name) => (dead ||= method !== 'getItem' && name === key))
}

test('[S12] an interrupted write is completed, announced and answered at next access', async () => {
  const first = reactiveDriver(inner, { now })
  const before = await first.write({ op: 'set', key: 'a', value: 1 })
  await expect(reactiveDriver(dying('a'), { now }).write({ op: 'increment', key: 'a', by: 1, author })).rejects.toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  })
  expect(await inner.getItem('a')).toBe('1')
  const second = reactiveDriver(inner, { now })
  const announced = await record(second, 'a')
  const [entry] = await second.read(['a'])
  expect(entry).toMatchObject({ value: 2 })
  expect(entry?.version).toBeGreaterThan(before.version)
  expect(await inner.getItem('a')).toBe('2')
  expect(await second.write({ op: 'increment', key: 'a', by: 1, author })).toEqual({ version: entry?.version, value: 2 })
  expect(announced.changes).toEqual([entry])
})

test('[S12] so are creations and removals, also if the next access is a write', async () => {
  await expect(reactiveDriver(dying('new'), { now }).write({ op: 'set', key: 'new', value: 1, author })).rejects.toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  })
  expect(await reactiveDriver(inner, { now }).write({ op: 'increment', key: 'new', by: 1 })).toMatchObject({ value: 2 })
  await expect(reactiveDriver(dying('new'), { now }).write({ op: 'remove', key: 'new' })).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect(await inner.getItem('new')).toBe('2')
  expect(await reactiveDriver(inner, { now }).read(['new'])).toMatchObject([{ removed: true }])
  expect(await inner.getItem('new')).toBe(null)
})

test('[S20] a foreign write during or after it is not taken for an interrupted write', async () => {
  await reactiveDriver(inner, { now }).write({ op: 'set', key: 'a', value: 1 })
  await expect(reactiveDriver(dying('a'), { now }).write({ op: 'set', key: 'a', value: 2 })).rejects.toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  })
  await inner.setItem?.('a', '3', {})
  const store = reactiveDriver(inner, { now })
  expect(await store.read(['a'])).toMatchObject([{ value: 3 }])
  await expect(reactiveDriver(dying('a'), { now }).write({ op: 'set', key: 'a', value: 5 })).rejects.toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  })
  expect(await store.read(['a'])).toMatchObject([{ value: 5 }])
  await inner.setItem?.('a', '3', {})
  expect(await store.read(['a'])).toMatchObject([{ value: 3 }])
  await store.write({ op: 'set', key: 'a', value: 4 })
  await inner.setItem?.('a', '3', {})
  expect(await store.read(['a'])).toMatchObject([{ value: 3 }])
  await store.write({ op: 'set', key: 'b', value: 4 })
  await inner.removeItem?.('b', {})
  expect(await store.read(['b'])).toMatchObject([{ removed: true }])
})

test('[F2] a driver that fails before it wrote refuses as retryable, without effect', async () => {
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

test('[F2] a driver that refuses one value leaves the key unchanged', async () => {
  const store = reactiveDriver(
    failing((method, key) => method === 'setItem' && key === 'a'),
    { now },
  )
  const announced = await record(store, 'a')
  await expect(store.write({ op: 'set', key: 'a', value: 1, author })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await store.read(['a'])).toEqual([{ key: 'a', version: 0, removed: true }])
  expect(await inner.getKeys('', {})).toEqual([])
  expect(announced.changes).toEqual([])
})

test('[F2] so it does for a stored key, including its remembered mutations', async () => {
  const done = await reactiveDriver(inner, { now }).write({ op: 'increment', key: 'a', by: 1, author })
  const before = await storedRecord()
  const store = reactiveDriver(
    failing((method, key) => method === 'setItem' && key === 'a'),
    { now },
  )
  await expect(store.write({ op: 'set', key: 'a', value: 2 })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(await storedRecord()).toEqual(before)
  expect(await store.write({ op: 'increment', key: 'a', by: 1, author })).toEqual(done)
})

test('[S20] an existing value gets a version without being written, even read-only', async () => {
  const store = reactiveDriver(
    failing((method, key) => method === 'setItem' && key === 'a'),
    { now },
  )
  await inner.setItem?.('a', '1', {})
  const [entry] = await store.read(['a'])
  expect(entry).toMatchObject({ value: 1 })
  expect((await store.touch('a')).version).toBeGreaterThan(entry?.version ?? Infinity)
})

test('[S4] a write without a difference is not announced again by the next process', async () => {
  for (const value of [1, 1]) await reactiveDriver(inner, { now }).write({ op: 'set', key: 'a', value })
  const store = reactiveDriver(inner, { now })
  const announced = await record(store, 'a')
  await store.read(['a'])
  expect(announced.changes).toEqual([])
})

test('[F2] a driver that returns its error instead of throwing it counts as failing', async () => {
  const store = reactiveDriver({ ...inner, getItem: () => new Error('EACCES') }, { now })
  await expect(store.read(['a'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('[F2] a driver that fails after it stored the value leaves the outcome unknown', async () => {
  const stores = reactiveDriver({
    ...inner,
    setItem: (key, text) => {
      void inner.setItem?.(key, text, {})
      if (key === 'a') throw new Error('The answer was lost.')
    },
  })
  await expect(stores.write({ op: 'increment', key: 'a', by: 1, author })).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  const again = await stores.write({ op: 'increment', key: 'a', by: 1, author })
  expect(again.value).toBe(1)
  expect(await stores.read(['a'])).toEqual([{ key: 'a', ...again }])
})
