import type { JsonValue } from '@tutti/protocol'
import { afterAll, describe, expect, test } from 'vitest'
import type { Mutation, ReactiveDriver, WriteOptions } from '../src/index.ts'
import { freshAuthor } from '../src/testing/store-under-test.ts'
import { memoryStore, redisStores } from './stores.ts'

type Start = (store: ReactiveDriver, key: string) => Promise<unknown>

const writing =
  (mutation: (key: string) => Mutation, options?: WriteOptions): Start =>
  (store, key) =>
    store.write(mutation(key), options)

const accept: WriteOptions = { check: () => {} }
const refuse: WriteOptions = {
  check: () => {
    throw new Error('refused')
  },
}

const OPERATIONS: Readonly<Record<string, Start>> = {
  set: writing((key) => ({ op: 'set', key, value: 1 })),
  'set with a number': writing((key) => ({ op: 'set', key, value: 1, author: freshAuthor() })),
  'set with a lifetime': writing((key) => ({ op: 'set', key, value: 1, ttlMs: 60_000 })),
  'set on a condition': writing((key) => ({ op: 'set', key, value: 1, ifVersion: 1 })),
  'set with a check': writing((key) => ({ op: 'set', key, value: 1 }), accept),
  'large set': writing((key) => ({ op: 'set', key, value: 'x'.repeat(9_000) })),
  remove: writing((key) => ({ op: 'remove', key })),
  'remove with a number': writing((key) => ({ op: 'remove', key, author: freshAuthor() })),
  increment: writing((key) => ({ op: 'increment', key, by: 1 })),
  'increment with a number': writing((key) => ({ op: 'increment', key, by: 1, author: freshAuthor() })),
  'increment with a check': writing((key) => ({ op: 'increment', key, by: 1, author: freshAuthor() }), accept),
  'refused increment': writing((key) => ({ op: 'increment', key, by: 1 }), refuse),
  patch: writing((key) => ({ op: 'patch', key, patch: { a: 1 } })),
  'patch with a number': writing((key) => ({ op: 'patch', key, patch: { a: 1 }, author: freshAuthor() })),
  'patch with a check': writing((key) => ({ op: 'patch', key, patch: { a: 1 } }), accept),
  'refused patch': writing((key) => ({ op: 'patch', key, patch: { a: 1 } }), refuse),
  read: (store, key) => store.read([key]),
  'read of what changed': (store, key) => store.readChanged(new Map([[key, 0]])),
}

const pairsOf = (names: readonly string[]) => names.flatMap((first) => names.map((second) => [first, second] as const))

const NAMES = Object.keys(OPERATIONS)

/** The initial values, with the operations that are one script each: only the base of an object is cached for patches. */
const STARTS = [
  { value: {}, pairs: pairsOf(NAMES) },
  { value: 5, pairs: pairsOf(NAMES.filter((name) => !/patch|increment with a check|refused/.test(name))) },
]

const prepare = async (store: ReactiveDriver, key: string, value: JsonValue): Promise<void> => {
  await store.write({ op: 'set', key, value })
  if (typeof value === 'object') await store.write({ op: 'patch', key, patch: {} })
}

/** Starts two operations in one turn; returns their positions in the order in which they settled, and their versions. */
async function settleOrder(store: ReactiveDriver, steps: readonly [name: string, key: string][]) {
  const order: number[] = []
  const versions: number[] = []
  const noted = steps.map(([name, key], place) => {
    const note = (result: unknown): void => {
      order.push(place)
      if (typeof result === 'object' && result !== null && 'version' in result) versions.push(Number(result.version))
    }
    return (OPERATIONS[name]?.(store, key) ?? Promise.reject(new Error(name))).then(note, note)
  })
  await Promise.all(noted)
  return { order, versions }
}

const stores = { Redis: await redisStores(), 'one process': await memoryStore() }
afterAll(() => Promise.all(Object.values(stores).map((made) => made.dispose())))

describe.each(Object.entries(stores))('on %s', (_name, { store }) => {
  test.each(STARTS)('[S3] operations on one key settle in version order, from $value', async ({ value, pairs }) => {
    for (const pair of pairs) {
      await prepare(store, 'a', value)
      const { order, versions } = await settleOrder(
        store,
        pair.map((name) => [name, 'a']),
      )
      expect(order, pair.join(', ')).toEqual([0, 1])
      expect(versions, pair.join(', ')).toEqual(versions.toSorted((a, b) => a - b))
    }
  })
})

test.each(STARTS)('[S3] operations on two keys settle in the order of execution, from $value', async ({ value, pairs }) => {
  const { store } = stores.Redis
  for (const [first, second] of pairs) {
    for (const key of ['a', 'b']) await prepare(store, key, value)
    const { order } = await settleOrder(store, [
      [first, 'a'],
      [second, 'b'],
    ])
    expect(order, `${first}, ${second}`).toEqual([0, 1])
  }
})
