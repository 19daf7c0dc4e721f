import type { Entry } from '@tutti/protocol'
import { onTestFinished } from 'vitest'
import { keyRoom } from '../src/connection/subscription-rooms.ts'
import { getHandler } from '../src/state/handlers/get.ts'
import { setHandler } from '../src/state/handlers/set.ts'
import { subscribeHandler } from '../src/state/handlers/subscribe.ts'
import { unsubscribeHandler } from '../src/state/handlers/unsubscribe.ts'
import { StateSubscribers } from '../src/state/state-subscribers.ts'
import { createStateWriter } from '../src/state/state-writer.ts'
import { Turns } from '../src/state/turns.ts'
import { WritesUnderWay } from '../src/state/writes-under-way.ts'
import { createModelCore, ModelStore, type ModelConnection } from './model-cluster.ts'

/** What has been asked for is under way. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The state of one instance, on a store and connections that the test moves. */
export function createModel() {
  const errors: unknown[] = []
  const model = createModelCore()
  const { connect } = model
  const core = { ...model.core, onError: (error: unknown) => void errors.push(error) }
  const store = new ModelStore()
  const subscribers = new StateSubscribers(core, store)
  const turns = new Turns()
  store.onChange((change) => subscribers.hear(change))
  const underWay = new WritesUnderWay()
  const get = getHandler(subscribers, underWay)
  const subscribe = subscribeHandler(subscribers, turns, underWay, core)
  const set = setHandler(createStateWriter(store, subscribers, underWay))
  const unsubscribe = unsubscribeHandler(subscribers, turns)
  onTestFinished(() => subscribers.close())
  return {
    errors,
    store,
    subscribers,
    connect,
    isHeard: (key: string) => core.fanOut.isHeard([keyRoom(key)]),
    subscribe: (connection: ModelConnection, key = 'k') => connection.request(subscribe, { keys: [{ key }] }, core.onError),
    get: (connection: ModelConnection, key = 'k') => connection.request(get, { key }, core.onError),
    set: (connection: ModelConnection, value: number) => connection.request(set, { key: 'k', value }, core.onError),
    unsubscribe: (connection: ModelConnection, key = 'k') => connection.request(unsubscribe, { keys: [{ key }] }, core.onError),
    /** Everything that is on its way arrives. */
    flush: async () => {
      do await settled()
      while (store.answerNext() || store.announceNext())
    },
  }
}

/** The versions that a connection was shown, in order, from its subscription on. */
export function versionsShown({ received }: ModelConnection): number[] {
  return received.flatMap(({ name, payload }) => {
    if (name === 'storage:updated') return [(payload as Entry).version]
    return (payload as { entries?: Entry[] }).entries?.map(({ version }) => version) ?? []
  })
}
