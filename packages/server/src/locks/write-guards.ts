import type { Coordination } from '@tutti/coordination/contract'
import { RealtimeError, type LockBinding } from '@tutti/protocol'
import { patternsOf } from '@tutti/protocol/internal'
import type { WriteGuard } from '@tutti/storage-driver/contract'
import type { Connection } from '../connection/connection.ts'
import type { RequiredLock } from './lock-options.ts'

/**
 * The guard of a client's write, if it is bound to a lock or its key requires one (L2, L5). `clientId`: that of the mutation.
 * Throws `UNSUPPORTED`, `LOCKED`, `INVALID_MESSAGE`.
 */
export type GuardOf = (
  connection: Pick<Connection, 'id' | 'user'>,
  write: { readonly key: string; readonly lock?: LockBinding | undefined; readonly clientId: string | undefined },
) => WriteGuard | undefined

/** Without locks, no write can be bound to one. */
export const guardWithoutLocks: GuardOf = (_connection, { lock }) => {
  if (lock !== undefined)
    throw new RealtimeError('UNSUPPORTED', {
      message: 'Locks are off on this server (`locks: false`, or no `coordination`): a write cannot be bound to one.',
    })
  return undefined
}

/** Makes the guards of one server. */
export function createGuardOf({ locks }: Pick<Coordination, 'locks'>, required: readonly RequiredLock[]): GuardOf {
  const rows = new Map(required.map((row) => [row.pattern, row]))
  /** The row of the most specific pattern. */
  const rowOf = (key: string): RequiredLock | undefined => {
    if (rows.size === 0) return undefined
    const pattern = patternsOf(key).findLast((candidate) => rows.has(candidate))
    return pattern === undefined ? undefined : rows.get(pattern)
  }
  return ({ id: connectionId, user }, { key, lock, clientId }) => {
    const row = rowOf(key)
    if (row === undefined) return lock && locks.guard(lock, key)
    if (lock !== undefined && lock.key !== key) {
      throw new RealtimeError('LOCKED', {
        message: `A write of ${key} must be bound to the lock of that key (locks.required). Acquire it first.`,
      })
    }
    return locks.guard({ key, token: lock?.token ?? 0, writer: { user, clientId, connectionId }, always: row.always }, key)
  }
}
