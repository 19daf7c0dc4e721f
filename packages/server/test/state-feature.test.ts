import { expect, onTestFinished, test, vi } from 'vitest'
import type { ServerErrorContext } from '../src/feature.ts'
import { stateFeature } from '../src/state/state-feature.ts'
import { createModelCore, ModelStore } from './model-cluster.ts'
import { settled, versionsShown } from './state-model.ts'

async function createFeature() {
  const errors: [unknown, ServerErrorContext][] = []
  const onError = (...failure: [unknown, ServerErrorContext]): void => void errors.push(failure)
  const { core, connect } = createModelCore()
  const store = new ModelStore()
  const { feature, state } = stateFeature({ ...core, onError }, store, 0)
  const subscribe = feature.handlers.find(({ name }) => name === 'storage:subscribe')
  const flush = async (): Promise<void> => {
    do await settled()
    while (store.answerNext() || store.announceNext())
  }
  const watcher = connect('watcher')
  if (subscribe !== undefined) watcher.request(subscribe, { keys: [{ key: 'k' }] }, onError)
  await flush()
  return { errors, store, feature, state, watcher, flush }
}

test('[F3] after a gap clients and server code receive the missed changes', async () => {
  const { store, state, watcher, flush } = await createFeature()
  const seen: number[] = []
  state.watch('k', ({ version }) => seen.push(version))
  await flush()
  store.commit('k', { value: 'missed' })
  store.loseNext()
  store.tellGap()
  await flush()
  expect(versionsShown(watcher)).toEqual([0, 1])
  expect(seen).toEqual([1])
})

test('[S2] unsubscribed server code receives neither changes nor gaps', async () => {
  const { store, state, flush, feature } = await createFeature()
  feature.onDisconnect?.(createModelCore().connect('nobody'))
  const seen: number[] = []
  const end = state.watch('k', ({ version }) => seen.push(version))
  await flush()
  end()
  store.commit('k', { value: 1 })
  store.asked.length = 0
  await flush()
  store.tellGap()
  await flush()
  expect(seen).toEqual([])
  expect(store.asked).toEqual([['k']]) // For the client that still watches.
})

test('[S5] the keys of a connection that is gone are not read again', async () => {
  const { store, feature, watcher, flush } = await createFeature()
  feature.onDisconnect?.(watcher)
  store.asked.length = 0
  store.tellGap()
  await flush()
  expect(store.asked).toEqual([])
})

test('[S2] errors of watching server code and of its reads are reported with the key', async () => {
  const { errors, store, state, flush } = await createFeature()
  state.watch('k', () => {
    throw new Error('on purpose')
  })
  store.commit('k', { value: 1 })
  await flush()
  store.refused.add('refused')
  state.watch('refused', () => {})
  await flush()
  expect(errors).toEqual([
    [new Error('on purpose'), { stage: 'listener', subject: 'k' }],
    [expect.objectContaining({ code: 'WRONG_TYPE' }), { stage: 'listener', subject: 'refused' }],
  ])
})

test('[C5] a feature that is closed while the store is away does not wait for it', async () => {
  const { store, feature, flush } = await createFeature()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  store.away = 'UNAVAILABLE'
  store.tellGap()
  await flush()
  expect(vi.getTimerCount()).toBe(1)
  await feature.close?.()
  expect(vi.getTimerCount()).toBe(0)
})

test('[C5] a closed feature ignores changes and gaps, and requests nothing', async () => {
  const { store, feature, watcher, flush } = await createFeature()
  await feature.close?.()
  store.commit('k', { value: 1 })
  await flush()
  store.asked.length = 0
  store.tellGap()
  await flush()
  expect(versionsShown(watcher)).toEqual([0])
  expect(store.asked).toEqual([])
})
