import type { Entry, JsonValue } from '@tutti/protocol'
import { onTestFinished } from 'vitest'
import { stateFeature } from '../src/state/state-feature.ts'
import { createModelCore, ModelStore, type ModelConnection } from './model-cluster.ts'

/** What was requested is under way. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The state of one instance, wired as in production, on a store and connections that the test moves. */
export function createModel({ pageSize = 1_000 } = {}) {
  const errors: unknown[] = []
  const model = createModelCore()
  const { connect } = model
  const core = { ...model.core, onError: (error: unknown) => void errors.push(error) }
  const store = Object.assign(new ModelStore(), { pageSize })
  const { feature, delivery } = stateFeature(core, store, 0)
  const close = (): void => void feature.close?.()
  onTestFinished(close)
  const request = (name: string, connection: ModelConnection, message: object): void => {
    const handler = feature.handlers.find((one) => one.name === name)
    if (handler === undefined) throw new Error(`no handler of ${name}`)
    connection.request(handler, message, core.onError)
  }
  return {
    errors,
    store,
    delivery,
    connect,
    close,
    hasReceivers: (key: string) => delivery.registry.find(key)?.members !== undefined,
    request,
    subscribe: (connection: ModelConnection, key = 'k') => request('storage:subscribe', connection, { keys: [{ key }] }),
    get: (connection: ModelConnection, key = 'k') => request('storage:get', connection, { key }),
    set: (connection: ModelConnection, value: JsonValue, key = 'k') => request('storage:set', connection, { key, value }),
    remove: (connection: ModelConnection, key = 'k') => request('storage:remove', connection, { key }),
    unsubscribe: (connection: ModelConnection, key = 'k') => request('storage:unsubscribe', connection, { keys: [{ key }] }),
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
