import type { StateUpdate } from '@tutti/protocol'
import { expect, onTestFinished, test, vi } from 'vitest'
import { EntryReader } from '../src/state/entry-reader.ts'
import { SubscribedKey } from '../src/state/subscribed-key.ts'
import { ModelStore } from './model-cluster.ts'

function createReader() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const store = new ModelStore()
  const errors: unknown[] = []
  const told: StateUpdate[] = []
  const keys = new Map<string, SubscribedKey>()
  const collected: string[] = []
  const open = (key: string): SubscribedKey => {
    const subscribed =
      keys.get(key) ?? new SubscribedKey({ broadcast: (update) => told.push(update), fetch: () => {}, tell: () => {}, joining: () => [] })
    keys.set(key, subscribed)
    return subscribed
  }
  const reader = new EntryReader(store, (error, context) => errors.push([error, context]), {
    open,
    has: (key) => keys.has(key),
    collect: (key) => collected.push(key),
  })
  onTestFinished(() => {
    reader.close()
    vi.useRealTimers()
  })
  const flush = async (): Promise<void> => {
    do await new Promise((resolve) => setImmediate(resolve))
    while (store.answerNext())
  }
  return { store, errors, told, keys, collected, open, reader, flush }
}

const failed = (code: string, subject: string) => [expect.objectContaining({ code }), { stage: 'watch', subject }]

test('[F3] 500 keys are read at a time, all of them once, and nothing where there are none', async () => {
  const { store, reader, flush } = createReader()
  const names = Array.from({ length: 1000 }, (_, index) => `k${index}`)
  const read = Promise.all([reader.refresh(names), reader.refresh([])])
  await flush()
  await read
  expect(store.asked).toEqual([names.slice(0, 500), names.slice(500)])
})

test('[S4] what could not be read is asked for again until it is, without what nobody watches any more', async () => {
  const { store, errors, told, keys, reader, flush } = createReader()
  store.away = 'UNAVAILABLE'
  store.commit('a', { value: 1 })
  void reader.refresh(['a', 'b'])
  await flush()
  keys.delete('b')
  await vi.advanceTimersByTimeAsync(499)
  expect(store.asked).toEqual([['a', 'b']])
  await vi.advanceTimersByTimeAsync(1)
  await flush()
  store.away = false
  await vi.advanceTimersByTimeAsync(500)
  await flush()
  expect(store.asked).toEqual([['a', 'b'], ['a'], ['a']])
  expect(told).toEqual([{ key: 'a', version: 1, value: 1 }])
  expect(errors).toEqual([failed('UNAVAILABLE', 'a')])
  expect(vi.getTimerCount()).toBe(0)
})

test('[F2] a store that goes away a second time is reported, and asked, a second time', async () => {
  const { store, errors, keys, reader, open, flush } = createReader()
  for (const [key, code] of [
    ['a', 'UNAVAILABLE'],
    ['b', 'OUTCOME_UNKNOWN'],
  ] as const) {
    open(key)
    store.away = code
    void reader.refresh([key])
    await flush()
    store.away = false
    await vi.advanceTimersByTimeAsync(500)
    await flush()
    keys.delete(key)
  }
  expect(store.asked).toEqual([['a'], ['a'], ['b'], ['b']])
  expect(errors).toEqual([failed('UNAVAILABLE', 'a'), failed('OUTCOME_UNKNOWN', 'b')])
})

test('[C5] after closing nothing is asked for again, also where the answer comes later', async () => {
  const { store, reader, flush } = createReader()
  store.away = 'UNAVAILABLE'
  void reader.refresh(['a'])
  await flush()
  void reader.refresh(['b'])
  reader.close()
  expect(vi.getTimerCount()).toBe(0)
  await flush()
  expect(vi.getTimerCount()).toBe(0)
  expect(store.asked).toEqual([['a'], ['b']])
})

test('[C5] a read whose answer comes after closing plans no other', async () => {
  const { store, reader, flush } = createReader()
  store.away = 'UNAVAILABLE'
  void reader.refresh(['a'])
  reader.close()
  await flush()
  expect(vi.getTimerCount()).toBe(0)
})

test('[F3] a read that fails lets the changes that waited pass, and says which key it was about', async () => {
  const { store, errors, told, collected, reader, open, flush } = createReader()
  store.refused.add('a')
  store.entries.set('b', { key: 'b', version: 6, value: 'heard' })
  const [a, b] = [open('a'), open('b')]
  void reader.refresh(['a', 'b'])
  a.hear({ key: 'a', version: 5, value: 'heard' })
  b.hear({ key: 'b', version: 6, value: 'heard' })
  expect(told).toEqual([])
  await flush()
  expect(told).toEqual([
    { key: 'a', version: 5, value: 'heard' },
    { key: 'b', version: 6, value: 'heard' },
  ])
  expect(errors).toEqual([failed('WRONG_TYPE', 'a')])
  // A hold after a read that failed still knows what was told.
  expect([a.hold(), b.hold()]).toEqual([5, 6])
  expect(new Set(collected)).toEqual(new Set(['a', 'b']))
  expect(store.asked).toEqual([['a', 'b'], ['a'], ['b']])
})
