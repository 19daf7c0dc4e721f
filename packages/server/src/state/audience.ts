import type { Entry, StateUpdate } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import type { Members } from '../connection/members.ts'
import type { Core } from '../feature.ts'
import { createPerKeyAuthorization, type PerKeyAuthorization } from './per-key-authorization.ts'
import { createSlowConsumers, type SlowConsumers } from './slow-consumers.ts'
import { toUpdate } from './state-change.ts'
import type { SubscriptionRegistry } from './subscription-registry.ts'

/** Which connections receive a change: by key, by prefix, by right and by how fast they read. Decided here and nowhere else. */
export interface Audience {
  readonly slowConsumers: SlowConsumers
  readonly perKey: PerKeyAuthorization
  /** Sends an update to all subscribers of its key but those with these ids. `json`: its text, where that is known. */
  broadcast(update: StateUpdate, except: readonly string[], json?: string): void
  /** Sends changes of one key that were buffered for one connection. */
  sendChanges(connection: Connection, changes: readonly StateChange[]): void
  /** The same for changes that come before a reply: where the right is not known yet, they are not sent at all. */
  sendChangesNow(connection: Connection, changes: readonly StateChange[]): void
  /** Sends the entry as it is, to one connection, however slowly it reads. */
  sendEntry(connection: Connection, entry: Entry): void
}

/** `sendEntries` reads entries and sends them to a connection, in their place among the changes. */
export function createAudience(
  core: Core,
  registry: SubscriptionRegistry,
  sendEntries: (connection: Connection, keys: readonly string[]) => Promise<void>,
): Audience {
  const { fanOut } = core
  const slowConsumers = createSlowConsumers(registry, sendEntries)

  const send = (connection: Connection, changes: readonly StateChange[]): void => {
    for (const change of changes) {
      const update = toUpdate(change)
      if (registry.find(change.key)?.isAnswered(connection.id, change) === true) continue
      if (update?.reset !== true && slowConsumers.isExcluded(connection, change.key)) continue
      // More happened than can be buffered: it is sent the entry as it is now.
      if (update === undefined) void sendEntries(connection, [change.key])
      else connection.send('storage:updated', update)
    }
  }

  const perKey = createPerKeyAuthorization(core, registry, send)

  return {
    slowConsumers,
    perKey,
    broadcast: (update, ids, json) => {
      const { key, reset } = update
      // A reset is sent to slow connections, too: their versions would not be comparable otherwise.
      const slow = reset === true ? [] : slowConsumers.excluded(key)
      const except = slow.length === 0 ? ids : [...ids, ...slow]
      const members = registry.find(key)?.members
      const receivers: (string | Members)[] = members === undefined ? [] : [members]
      const above = registry.prefixes.above(key)
      for (const { room } of above) receivers.push(room)
      if (above.length > 0) receivers.push(...perKey.allowedNow(update, except))
      fanOut.emit(receivers, 'storage:updated', update, except, json)
    },
    sendChanges: (connection, changes) => {
      const [first] = changes
      if (first !== undefined && perKey.mayReceive(connection, first.key, changes)) send(connection, changes)
    },
    sendChangesNow: (connection, changes) => {
      const [first] = changes
      if (first !== undefined && perKey.mayRead(connection, first.key) === true) send(connection, changes)
    },
    sendEntry: (connection, entry) => {
      if (perKey.mayReceive(connection, entry.key, [entry])) connection.send('storage:updated', entry)
    },
  }
}
