import { createStorage, prefixStorage, restoreSnapshot, type Storage } from 'unstorage'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { documentedAcl, eventually } from '@tutti/test-kit'
import { fileStore, memoryStore, redisStores, type DriverUnderTest } from './stores.ts'

const backends: [string, () => Promise<DriverUnderTest>][] = [
  ['Redis', () => redisStores()],
  ['Redis under the documented ACL', () => redisStores({ base: 'tutti', acl: documentedAcl() })],
  ['memory', memoryStore],
  ['fs', fileStore],
]

describe.each(backends)('a storage on the %s driver', (name, create) => {
  let made: DriverUnderTest
  let storage: Storage
  let elsewhere: Storage
  beforeAll(async () => {
    made = await create()
    storage = createStorage({ driver: made.store })
    elsewhere = createStorage({ driver: made.other })
  })
  afterAll(() => made.dispose())
  beforeEach(() => storage.clear())

  test('[S21] is empty at first, and after clear, which can be repeated', async () => {
    expect(await storage.hasItem('s1:a')).toBe(false)
    expect(await storage.getItem('s1:a')).toBe(null)
    expect(await storage.getKeys()).toEqual([])
    await storage.setItem('s1:a', 1)
    await storage.clear()
    await storage.clear()
    expect(await storage.getKeys()).toEqual([])
    expect(await storage.getItem('s1:a')).toBe(null)
  })

  test('[S21] keeps items, on every instance, under normalised keys', async () => {
    await storage.setItem('s1:a', 'test_data')
    await storage.setItem('/s2/b.json', { json: 'works' })
    await storage.setItem('s3:c?q=1', true)
    expect(await elsewhere.hasItem('s1:a')).toBe(true)
    expect(await elsewhere.getItem('s1:a')).toBe('test_data')
    expect(await elsewhere.getItem('s2:b.json')).toEqual({ json: 'works' })
    expect(await elsewhere.getItem('s3:c?q=2')).toBe(true)
    expect((await elsewhere.getKeys()).toSorted()).toEqual(['s1:a', 's2:b.json', 's3:c'])
    expect(await elsewhere.getKeys('s1')).toEqual(['s1:a'])
    await restoreSnapshot(storage, { initial: 'works' }, 'snapshot')
    expect(await elsewhere.getItem('snapshot:initial')).toBe('works')
  })

  test('[S21] has a name, and reports support for lifetimes', () => {
    expect(made.store).toMatchObject({ name: name.startsWith('Redis') ? 'tutti-redis' : 'tutti', flags: { ttl: true } })
  })

  test('[S21] lists keys by depth', async () => {
    for (const key of ['depth0', 'd0:depth1', 'd0:d1:depth2']) await storage.setItem(key, 1)
    expect(await storage.getKeys(undefined, { maxDepth: 0 })).toEqual(['depth0'])
    expect((await storage.getKeys(undefined, { maxDepth: 1 })).toSorted()).toEqual(['d0:depth1', 'depth0'])
    expect(await storage.getKeys(undefined, { maxDepth: 2 })).toHaveLength(3)
  })

  test('[S21] keeps primitives, falsy ones included, and objects with toJSON', async () => {
    for (const [key, value] of Object.entries({ zero: 0, no: false, text: '', nil: null, list: [1, [2]], sentence: 'hello world' })) {
      await storage.setItem(key, value)
      expect(await elsewhere.getItem(key)).toEqual(value)
    }
    await storage.setItem('serialized', { toJSON: () => 'SERIALIZED' })
    await storage.setItem('dated', { at: new Date(0) })
    expect(await elsewhere.getItem('dated')).toEqual({ at: '1970-01-01T00:00:00.000Z' })
    await expect(storage.setItem('bad', new (class Unknown {})())).rejects.toThrow('Cannot stringify value')
  })

  test('[S11] [S21] bytes are returned as bytes, and delivered as base64 text', async () => {
    const bytes = new Uint8Array([1, 2, 255])
    const changes: unknown[] = []
    const stop = made.other.onChange((change) => void changes.push(change.value))
    await stop.ready
    await storage.setItemRaw('raw.bin', bytes)
    expect(Buffer.from((await elsewhere.getItemRaw<Uint8Array>('raw.bin')) ?? []).equals(bytes)).toBe(true)
    await eventually(() => expect(changes).toEqual(['base64:AQL/']))
    stop()
  })

  test('[S21] getItems returns every requested key, in its order', async () => {
    await storage.setItems([
      { key: 'v1:a', value: ['one'] },
      { key: 'v2:a', value: ['two', 2] },
    ])
    expect(await elsewhere.getItems([{ key: 'v2:a' }, 'v1:a?q', 'v4:undefined'])).toEqual([
      { key: 'v2:a', value: ['two', 2] },
      { key: 'v1:a', value: ['one'] },
      { key: 'v4:undefined', value: null },
    ])
  })

  test('[S21] an item set to undefined or removed is absent', async () => {
    await storage.setItem('a', 1)
    await storage.setItem('b', 1)
    await storage.setItem('a', undefined as never)
    await storage.removeItem('b')
    expect(await elsewhere.getKeys()).toEqual([])
    expect(await elsewhere.hasItem('a')).toBe(false)
  })

  test('[S11] meta is stored beside the value, never listed or announced', async () => {
    const changes: string[] = []
    const stop = made.other.onChange(({ key }) => void changes.push(key))
    await stop.ready
    await storage.setItem('a', 'value')
    await storage.setMeta('a', { owner: 'me', mtime: new Date(0) })
    const meta = await elsewhere.getMeta('a')
    expect(meta).toMatchObject({ owner: 'me', mtime: new Date(0), version: expect.any(Number) })
    expect(await elsewhere.getKeys()).toEqual(['a'])
    await storage.removeItem('a', { removeMeta: true })
    expect(await elsewhere.getMeta('a')).toEqual({})
    await storage.setItem('a', 'again')
    await storage.setMeta('a', { owner: 'me' })
    await storage.clear()
    expect(await elsewhere.getMeta('a')).toEqual({})
    await eventually(() => expect(changes).toEqual(['a', 'a', 'a', 'a']))
    stop()
  })

  test('[S11] the native meta contains the time of the change and the lifetime', async () => {
    await storage.setItem('a', 1, { ttl: 100 })
    const { mtime, ttl } = await elsewhere.getMeta('a', { nativeOnly: true })
    expect(Math.abs(Number(mtime) - Date.now())).toBeLessThan(60_000)
    expect(ttl).toBeGreaterThan(50)
    expect(ttl).toBeLessThanOrEqual(100)
    expect(await elsewhere.getMeta('never')).toEqual({})
    await storage.setItem('a', 1)
    expect(await elsewhere.getMeta('a', { nativeOnly: true })).not.toHaveProperty('ttl')
  })

  test('[S18] an item with a ttl in seconds is absent after it', async () => {
    await storage.setItem('short', 1, { ttl: 0.03 })
    await storage.setItem('long', 1, { ttl: 0 })
    await eventually(async () => expect(await elsewhere.hasItem('short')).toBe(false))
    expect(await elsewhere.getKeys()).toEqual(['long'])
  })

  test('[S11] every kind of write reaches the watchers of every instance once per key', async () => {
    await storage.setItem('old:a', 1)
    const changes: string[][] = [[], []]
    const stops = await Promise.all(
      [storage, elsewhere].map((one, place) => one.watch((event, key) => changes[place]?.push(`${event} ${key}`))),
    )
    await storage.setItem('a', 1)
    await storage.setItemRaw('b', new Uint8Array([1]))
    await elsewhere.removeItem('a')
    await storage.setItems([
      { key: 'm:1', value: 1 },
      { key: 'm:2', value: 2 },
    ])
    await storage.clear('m')
    await elsewhere.clear()
    const expected = [
      'update a',
      'update b',
      'remove a',
      'update m:1',
      'update m:2',
      'remove m:1',
      'remove m:2',
      'remove b',
      'remove old:a',
    ]
    await storage.setItem('last', 1)
    // A single-process driver is mounted twice here: each storage watches it separately.
    await eventually(() => expect(changes.map((events) => events.at(-1))).toEqual(['update last', 'update last']))
    for (const events of changes) expect(events.toSorted()).toEqual([...expected, 'update last'].toSorted())
    for (const stop of stops) await stop()
    await storage.setItem('a', 2)
    expect(changes[0]).toHaveLength(expected.length + 1)
  })

  test('[S11] listeners receive values of application code, getItem those of clients', async () => {
    const changes: unknown[] = []
    const stop = made.other.onChange(({ value }) => void changes.push(value))
    await stop.ready
    await storage.setItem('a', { deep: [1] })
    await storage.setItem('a', 'plain text')
    await storage.setItem('a', '5')
    // With its quotes this one has 8,192 bytes, the next one more.
    const [small, large] = ['x'.repeat(8_190), 'x'.repeat(8_191)]
    for (const text of [small, large]) await storage.setItem('a', text)
    await eventually(() => expect(changes).toEqual([{ deep: [1] }, 'plain text', 5, small, undefined]))
    for (const value of ['text', 5, { a: null }, null]) {
      await made.store.write({ op: 'set', key: 'a', value })
      expect(await elsewhere.getItem('a')).toEqual(value)
    }
    stop()
  })

  test('[S19] a key that unstorage accepts and clients cannot use is refused', async () => {
    for (const key of ['a*b', 'a{b}', 'k'.repeat(300)]) {
      await expect(storage.setItem(key, 1)).rejects.toMatchObject({ code: 'INVALID_KEY' })
      await expect(storage.getItem(key)).rejects.toMatchObject({ code: 'INVALID_KEY' })
      await expect(storage.setMeta(key, {})).rejects.toMatchObject({ code: 'INVALID_KEY' })
    }
    expect(await storage.getKeys()).toEqual([])
    expect(await storage.getKeys('a*b')).toEqual([])
  })

  test('[S21] works below a mount point and a prefix: keys are relative', async () => {
    const mounted = createStorage().mount('cache', made.store)
    const changes: string[] = []
    const stop = await mounted.watch((event, key) => void changes.push(`${event} ${key}`))
    await prefixStorage(mounted, 'cache:part').setItem('a', 1)
    await mounted.setItem('other:b', 1)
    expect(await storage.getItem('part:a')).toBe(1)
    expect((await mounted.getKeys()).toSorted()).toEqual(['cache:part:a', 'other:b'])
    expect(await mounted.getKeys('cache:part')).toEqual(['cache:part:a'])
    await mounted.clear('cache')
    // The other mount is a separate driver, so the order of its event among these is undefined.
    const below = () => changes.filter((event) => event !== 'update other:b')
    await eventually(() => expect(below()).toEqual(['update cache:part:a', 'remove cache:part:a']))
    expect(changes).toHaveLength(3)
    await stop()
  })
})

describe.each(backends)('a closed %s driver', (_name, create) => {
  test('[N7] completes calls in flight, refuses others with CLOSED; close is idempotent', async () => {
    const made = await create()
    const { store } = made
    const underWay = store.write({ op: 'set', key: 'a', value: 1 })
    await Promise.all([store.dispose?.(), store.dispose?.()])
    expect(await made.get('a')).toBe('1')
    expect((await underWay).version).toBeGreaterThan(0)
    const closed = { code: 'CLOSED' }
    await expect(store.read(['a'])).rejects.toMatchObject(closed)
    await expect(store.list('')).rejects.toMatchObject(closed)
    await expect(store.write({ op: 'set', key: 'a', value: 2 })).rejects.toMatchObject(closed)
    await expect(store.touch('a')).rejects.toMatchObject(closed)
    await expect(store.reindex()).rejects.toMatchObject(closed)
    await expect(store.getItem('a')).rejects.toMatchObject(closed)
    expect(() => store.onChange(() => {})).toThrow(expect.objectContaining(closed))
    expect(() => store.onGap(() => {})).toThrow(expect.objectContaining(closed))
    expect(await made.get('a')).toBe('1')
    await made.dispose()
  })
})
