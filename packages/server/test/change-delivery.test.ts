import { expect, onTestFinished, test, vi } from 'vitest'
import { createChangeDelivery } from '../src/state/change-delivery.ts'
import { createSubscriptionRegistry } from '../src/state/subscription-registry.ts'
import { createModelCore, ModelStore } from './model-cluster.ts'

function createDelivery() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const store = new ModelStore()
  const errors: unknown[] = []
  const sent: unknown[] = []
  const { core, connect } = createModelCore()
  const subscriber = connect('c')
  const emit = (_rooms: unknown, _name: unknown, payload: unknown): number => sent.push(payload)
  const registry = createSubscriptionRegistry()
  const onError = (...error: unknown[]): void => void errors.push(error)
  const delivery = createChangeDelivery({ ...core, onError, fanOut: { ...core.fanOut, emit } }, store, registry)
  const subscribe = (...keys: string[]): void => keys.forEach((key) => registry.open(key).join(subscriber))
  const unsubscribe = (key: string): void => {
    registry.find(key)?.remove(subscriber)
    registry.collect(key)
  }
  onTestFinished(() => {
    delivery.close()
    vi.useRealTimers()
  })
  const flush = async (): Promise<void> => {
    do await new Promise((resolve) => setImmediate(resolve))
    while (store.answerNext())
  }
  return { store, errors, sent, registry, subscribe, unsubscribe, delivery, flush }
}

const failed = (code: string, subject: string) => [expect.objectContaining({ code }), { stage: 'watch', subject }]

test('[F3] 500 keys are read at a time, each once, and no empty batch', async () => {
  const { store, delivery, flush } = createDelivery()
  const names = Array.from({ length: 1000 }, (_, index) => `k${index}`)
  const read = Promise.all([delivery.refresh(names), delivery.refresh([])])
  await flush()
  await read
  expect(store.asked).toEqual([names.slice(0, 500), names.slice(500)])
})

test('[S4] an unreadable key is read again until it succeeds or is no longer watched', async () => {
  const { store, errors, sent, subscribe, unsubscribe, delivery, flush } = createDelivery()
  subscribe('a', 'b')
  store.away = 'UNAVAILABLE'
  store.commit('a', { value: 1 })
  void delivery.refresh(['a', 'b'])
  await flush()
  unsubscribe('b')
  await vi.advanceTimersByTimeAsync(499)
  expect(store.asked).toEqual([['a', 'b']])
  await vi.advanceTimersByTimeAsync(1)
  await flush()
  store.away = false
  await vi.advanceTimersByTimeAsync(500)
  await flush()
  expect(store.asked).toEqual([['a', 'b'], ['a'], ['a']])
  expect(sent).toEqual([{ key: 'a', version: 1, value: 1 }])
  expect(errors).toEqual([failed('UNAVAILABLE', 'a')])
  expect(vi.getTimerCount()).toBe(0)
})

test('[F2] a second outage of the store is reported and retried again', async () => {
  const { store, errors, subscribe, unsubscribe, delivery, flush } = createDelivery()
  for (const [key, code] of [
    ['a', 'UNAVAILABLE'],
    ['b', 'OUTCOME_UNKNOWN'],
  ] as const) {
    subscribe(key)
    store.away = code
    void delivery.refresh([key])
    await flush()
    store.away = false
    await vi.advanceTimersByTimeAsync(500)
    await flush()
    unsubscribe(key)
  }
  expect(store.asked).toEqual([['a'], ['a'], ['b'], ['b']])
  expect(errors).toEqual([failed('UNAVAILABLE', 'a'), failed('OUTCOME_UNKNOWN', 'b')])
})

test('[C5] after closing nothing is read again, even if a reply arrives later', async () => {
  const { store, subscribe, delivery, flush } = createDelivery()
  subscribe('a', 'b')
  store.away = 'UNAVAILABLE'
  void delivery.refresh(['a'])
  await flush()
  void delivery.refresh(['b'])
  delivery.close()
  expect(vi.getTimerCount()).toBe(0)
  await flush()
  expect(vi.getTimerCount()).toBe(0)
  expect(store.asked).toEqual([['a'], ['b']])
})

test('[C5] a read whose answer comes after closing plans no other', async () => {
  const { store, subscribe, delivery, flush } = createDelivery()
  subscribe('a')
  store.away = 'UNAVAILABLE'
  void delivery.refresh(['a'])
  delivery.close()
  await flush()
  expect(vi.getTimerCount()).toBe(0)
})

test('[F3] a failed read releases the waiting changes and is reported with its key', async () => {
  const { store, errors, sent, subscribe, delivery, registry, flush } = createDelivery()
  subscribe('a', 'b')
  store.refused.add('a')
  store.entries.set('b', { key: 'b', version: 6, value: 'heard' })
  const [a, b] = [registry.open('a'), registry.open('b')]
  void delivery.refresh(['a', 'b'])
  delivery.apply({ key: 'a', version: 5, value: 'heard' })
  delivery.apply({ key: 'b', version: 6, value: 'heard' })
  expect(sent).toEqual([])
  await flush()
  expect(sent).toEqual([
    { key: 'a', version: 5, value: 'heard' },
    { key: 'b', version: 6, value: 'heard' },
  ])
  expect(errors).toEqual([failed('WRONG_TYPE', 'a')])
  // A read after a read that failed still knows what was sent.
  expect([a.beginRead(), b.beginRead()]).toEqual([5, 6])
  expect(store.asked).toEqual([['a', 'b'], ['a'], ['b']])
})
