import type { LockTarget } from '@tutti/coordination/contract'
import type { Access } from '../authorization/authorize.ts'
import type { Connection } from '../connection/connection.ts'
import { keyOfHeldLock, watchedLockOf } from '../connection/subscription-names.ts'

/** To acquire a lock. */
export const acquireAccess = (key: string): Access => ({ action: 'lock:acquire', target: { key } })

/** To release the lock of any holder. */
export const forceAccess = (key: string): Access => ({ action: 'lock:force', target: { key } })

/** To see the holders of locks. */
export const readLockAccess = (target: LockTarget): Access => ({ action: 'lock:read', target })

/** The rights by which a connection has locks, waits for them and follows them. */
export const lockAccesses = ({ subscriptions }: Connection): Access[] =>
  [...subscriptions.all].flatMap((name): Access[] => {
    const [key, watched] = [keyOfHeldLock(name), watchedLockOf(name)]
    if (key !== undefined) return [acquireAccess(key)]
    return watched === undefined ? [] : [readLockAccess(watched)]
  })
