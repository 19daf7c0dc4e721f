import type { Coordination } from '@tutti/coordination/contract'
import type { Core, Feature } from '../feature.ts'
import { revokedError } from '../authorization/revocations.ts'
import { lockAccesses } from './lock-access.ts'
import { createLockHandlers } from './lock-handlers.ts'
import type { LockSettings } from './lock-options.ts'
import { createLockRequests } from './lock-requests.ts'
import { createLockWatchers } from './lock-watchers.ts'
import { toWireError } from '@tutti/protocol'

/** Locks: what `lock:*` messages do. This file connects the parts. */
export function locksFeature(core: Core, coordination: Pick<Coordination, 'locks'>, settings: LockSettings): Feature {
  const requests = createLockRequests(coordination, core.onError)
  const watchers = createLockWatchers(core, coordination)
  return {
    name: 'lock',
    handlers: createLockHandlers(core, coordination, requests, watchers, settings),
    onDisconnect: (connection) => {
      requests.disconnect(connection)
      watchers.leaveAll(connection)
    },
    holds: lockAccesses,
    apply: (connection, { action, target }, verdict) => {
      const isOver = 'refusal' in verdict
      if (action === 'lock:acquire') return isOver ? requests.end(connection, target.key) : undefined
      if (action !== 'lock:read' || (!isOver && verdict.allow !== 'each')) return
      watchers.unsubscribe(connection, target)
      // A part of the prefix was taken away, so all of it ends.
      if (!isOver && 'prefix' in target) {
        connection.send('server:revoked', { target: { locks: target.prefix }, error: toWireError(revokedError()) })
      }
    },
    close: async () => watchers.close(),
  }
}
