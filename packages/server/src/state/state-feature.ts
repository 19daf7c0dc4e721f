import { prefixesOf } from '@tutti/protocol/internal'
import type { StateChange, StateStore } from '@tutti/storage-driver/contract'
import type { Core, Feature } from '../feature.ts'
import { createListenersByName } from '../listeners-by-name.ts'
import { createEntryReads } from './entry-reads.ts'
import { createExpiry } from './expiry.ts'
import { guardWithoutLocks, type GuardOf } from '../locks/write-guards.ts'
import { createReadHandlers } from './read-handlers.ts'
import { startReconciler } from './reconciler.ts'
import { createValidatedWrite } from './schema-validation.ts'
import { createServerState, type ServerState } from './server-state.ts'
import { subscribedAccesses } from './state-access.ts'
import { createStateDelivery, type StateDelivery } from './state-delivery.ts'
import type { StateHandlers } from './user-state.ts'
import { createWriteHandlers } from './write-handlers.ts'

/** The parts of state. */
export interface StateFeature {
  readonly feature: Feature
  /** `realtime.state`. */
  readonly state: ServerState
  /** What server code that acts as a user needs. */
  readonly handlers: StateHandlers
  /** What connections are sent. */
  readonly delivery: StateDelivery
  /** Settles once the store's changes are received. */
  readonly ready: Promise<void>
}

/** State: what `storage:*` messages do, and `realtime.state`. This file connects the parts and does nothing itself. */
export function stateFeature(
  core: Core,
  store: StateStore,
  reconcileIntervalMs: number,
  guardOf: GuardOf = guardWithoutLocks,
): StateFeature {
  const { onError } = core
  const listeners = createListenersByName<StateChange>((error, key) => onError(error, { stage: 'listener', subject: key }))
  const listenersBelow = createListenersByName<StateChange>((error, prefix) => onError(error, { stage: 'listener', subject: prefix }))
  const isBelowWatched = (key: string): boolean => !listenersBelow.isEmpty && prefixesOf(key).some(listenersBelow.has)
  const isWatched = (key: string): boolean => delivery.registry.hasSubscribers(key) || listeners.has(key) || isBelowWatched(key)
  const expiry = createExpiry({ store, isWatched, onError })
  const reads = createEntryReads(store, expiry)
  const write = createValidatedWrite(store, core.schema)
  const delivery = createStateDelivery(core, reads)
  const readHandlers = createReadHandlers(core, delivery, reads)
  const writeHandlers = createWriteHandlers(delivery, write, guardOf)

  const stopChanges = store.onChange((change) => {
    delivery.apply(change)
    listeners.notify([change.key], change)
    if (!listenersBelow.isEmpty) listenersBelow.notify(prefixesOf(change.key), change)
    expiry.note(change.key, change.version, change.expiresAt)
  }, isWatched)
  const stopRepair = store.onGap(() => void delivery.repair())
  const stopReconciler = startReconciler({
    reads,
    intervalMs: reconcileIntervalMs,
    keys: () => delivery.registry.keys(),
    versionOf: (key) => delivery.registry.find(key)?.commonVersion,
    repair: (keys) => delivery.changes.refresh(keys.filter((key) => delivery.registry.has(key))),
    repairPrefixes: () => delivery.repairPrefixes(),
  })

  const { get, subscribe, unsubscribe, read } = readHandlers
  const { set, remove, increment, patch } = writeHandlers
  return {
    delivery,
    ready: stopChanges.ready,
    handlers: { read, subscribe, ...writeHandlers },
    state: createServerState({
      ...{ reads, write, onError },
      onChange: (key, listener) => listeners.add(key, listener),
      onChangeBelow: (prefix, listener) => listenersBelow.add(prefix, listener),
      onGap: (listener) => store.onGap(listener),
    }),
    feature: {
      name: 'state',
      handlers: [get, subscribe, unsubscribe, set, remove, increment, patch],
      onSlow: (connection) => delivery.changes.audience.slowConsumers.add(connection),
      onDisconnect: (connection) => delivery.leaveAll(connection),
      holds: subscribedAccesses,
      apply: (connection, { target }, verdict) => {
        const isOver = 'refusal' in verdict
        if ('key' in target && isOver) delivery.keys.leave(connection, target.key)
        if ('prefix' in target && isOver) delivery.prefixes.leave(connection, target.prefix)
        if ('prefix' in target && !isOver) delivery.changes.audience.perKey.apply(connection, target.prefix, verdict)
      },
      close: async () => {
        stopChanges()
        stopRepair()
        stopReconciler()
        delivery.close()
        expiry.close()
      },
    },
  }
}
