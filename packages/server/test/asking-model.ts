import type { Entry, JsonValue } from '@tutti/protocol'
import { onTestFinished } from 'vitest'
import type { Decision, AuthorizeRequest } from '../src/authorization/authorize.ts'
import { Revocations } from '../src/authorization/revocations.ts'
import { stateFeature } from '../src/state/state-feature.ts'
import { createModelCore, ModelStore, type ModelConnection } from './model-cluster.ts'
import { settled } from './state-model.ts'

/** State with authorized readers: `answerOf` decides about a key; for a prefix the answer is `each`, or `ofPrefix`. */
export function createAskingModel(
  answerOf: (user: string, key: string) => Decision | Promise<Decision>,
  ofPrefix: (user: string) => Decision = () => 'each',
) {
  const asked: string[] = []
  const errors: unknown[] = []
  const { core, entrances, connect } = createModelCore(({ action, target, user }: AuthorizeRequest) => {
    if (action !== 'state:read') return true
    if (!('key' in target)) return ofPrefix(user?.id ?? '')
    asked.push(target.key)
    return answerOf(user?.id ?? '', target.key)
  })
  const counted = { ...core, onError: (error: unknown) => void errors.push(error) }
  const store = new ModelStore()
  const { feature } = stateFeature(counted, store, 0)
  const revocations = new Revocations(counted, entrances, [feature])
  onTestFinished(() => feature.close?.())
  const request = (name: string) => (connection: ModelConnection, message: object) => {
    const handler = feature.handlers.find((one) => one.name === name)
    if (handler !== undefined) connection.request(handler, message, counted.onError)
  }
  const [subscribe, unsubscribe, set] = ['storage:subscribe', 'storage:unsubscribe', 'storage:set'].map(request)
  const model = {
    asked,
    errors,
    store,
    connect,
    entrances,
    revocations,
    subscribe: (connection: ModelConnection, message: object = { prefix: 'p:' }) => subscribe?.(connection, message),
    unsubscribe: (connection: ModelConnection, message: object = { prefix: 'p:' }) => unsubscribe?.(connection, message),
    set: (connection: ModelConnection, key: string, value: JsonValue) => set?.(connection, { key, value }),
    flush: async () => {
      // A search for a page of readable keys continues in a turn of its own.
      do {
        await settled()
        await settled()
      } while (store.answerNext() || store.announceNext())
    },
    subscribed: async (id: string): Promise<ModelConnection> => {
      const connection = connect(id)
      model.subscribe(connection)
      await model.flush()
      return connection
    },
  }
  return model
}

/** The changes sent to it. */
export const updatesOf = ({ received }: ModelConnection): Entry[] =>
  received.flatMap(({ name, payload }) => (name === 'storage:updated' ? [payload as Entry] : []))
