import type { StateChange, StateStore } from '@tutti/storage-driver/contract'
import type { Access } from '../authorization/authorize.ts'
import type { Connection } from '../connection/connection.ts'
import type { Core, Feature } from '../feature.ts'
import { keyOfRoom, prefixOfRoom } from '../connection/subscription-rooms.ts'
import { getHandler } from './handlers/get.ts'
import { incrementHandler } from './handlers/increment.ts'
import { patchHandler } from './handlers/patch.ts'
import { readHandler } from './handlers/read.ts'
import { removeHandler } from './handlers/remove.ts'
import { setHandler } from './handlers/set.ts'
import { subscribeHandler } from './handlers/subscribe.ts'
import { unsubscribeHandler } from './handlers/unsubscribe.ts'
import { ListenersByName } from '../listeners-by-name.ts'
import { startAudit } from './reconciler.ts'
import { writingBySchema } from './schema-validation.ts'
import { ExpiryTimers, followingExpiry } from './expiry-timers.ts'
import { createServerState, type ServerState } from './server-state.ts'
import type { StateHandlers } from './user-state.ts'
import { StateSubscribers } from './state-subscribers.ts'
import { createStateWriter } from './state-writer.ts'
import { Turns } from './turns.ts'
import { WritesUnderWay } from './writes-under-way.ts'

/** What a connection is subscribed to. */
const heldBy = ({ subscriptions }: Connection): Access[] =>
  [...subscriptions.all].flatMap((room): Access[] => {
    const [key, prefix] = [keyOfRoom(room), prefixOfRoom(room)]
    if (key !== undefined) return [{ action: 'state:read', target: { key } }]
    return prefix === undefined ? [] : [{ action: 'state:read', target: { prefix } }]
  })

/** The parts of state. */
export interface StateFeature {
  readonly feature: Feature
  /** `realtime.state`. */
  readonly state: ServerState
  /** What server code that acts as a user needs. */
  readonly handlers: StateHandlers
  /** Settles once the store's changes are received. */
  readonly ready: Promise<void>
}

/** State: what `storage:*` messages do, and `realtime.state`. */
export function stateFeature(core: Core, given: StateStore, auditIntervalMs: number): StateFeature {
  const listeners = new ListenersByName<StateChange>((error, key) => core.onError(error, { stage: 'listener', subject: key }))
  const isWatched = (key: string): boolean => subscribers.isWatchedHere(key) || listeners.has(key)
  const expiry = new ExpiryTimers({
    store: given,
    isWatched,
    onError: core.onError,
  })
  const following = followingExpiry(given, expiry)
  const store: StateStore = { ...following, write: writingBySchema(following, core.schema.state) }
  const subscribers = new StateSubscribers(core, store)
  const underWay = new WritesUnderWay()
  const writer = createStateWriter(store, subscribers, underWay)
  const turns = new Turns()
  const stopWatching = store.onChange((change) => {
    subscribers.hear(change)
    listeners.tell([change.key], change)
  }, isWatched)
  const stopRepairing = store.onGap(() => void subscribers.repair())
  const handlers: StateHandlers = {
    read: readHandler(store, core),
    subscribe: subscribeHandler(subscribers, turns, underWay, core),
    set: setHandler(writer),
    remove: removeHandler(writer),
    increment: incrementHandler(writer),
    patch: patchHandler(writer),
  }
  const stopAudit = startAudit({
    store,
    intervalMs: auditIntervalMs,
    keys: () => subscribers.watched,
    versionOf: (key) => subscribers.agreedVersion(key),
    repair: (keys) => subscribers.repairKeys(keys),
    repairPrefixes: () => subscribers.ofPrefixes.repair(),
  })
  return {
    ready: stopWatching.ready,
    handlers,
    state: createServerState(store, (key, listener) => listeners.add(key, listener), core.onError),
    feature: {
      name: 'state',
      handlers: [
        getHandler(subscribers, underWay),
        handlers.subscribe,
        unsubscribeHandler(subscribers, turns),
        handlers.set,
        handlers.remove,
        handlers.increment,
        handlers.patch,
      ],
      onSlow: (connection) => subscribers.delivery.laggards.add(connection),
      onDisconnect: (connection) => subscribers.leaveAll(connection),
      holds: heldBy,
      apply: (connection, { target }, verdict) => {
        const isOver = 'refusal' in verdict
        if ('key' in target && isOver) subscribers.leave(connection, target.key)
        if ('prefix' in target && isOver) subscribers.ofPrefixes.leave(connection, target.prefix)
        if ('prefix' in target && !isOver) subscribers.delivery.readers.apply(connection, target.prefix, verdict)
      },
      close: async () => {
        stopWatching()
        stopRepairing()
        stopAudit()
        subscribers.close()
        expiry.close()
      },
    },
  }
}
