import { randomUUID } from 'node:crypto'
import type { LockAcquired, LockRequest, Locks } from '../../contract.ts'
import { createUntil } from '../create-until.ts'

/** A key that no other test uses. */
export const freshKey = (): string => `form:${randomUUID()}`

/** A client that requests locks, and all that it was notified of. */
export interface LockClient {
  readonly events: readonly { readonly kind: 'granted' | 'lost'; readonly token: number; readonly request: string }[]
  readonly connectionId: string
  acquire(locks: Locks, key: string, options?: Partial<LockRequest>): Promise<LockAcquired>
  /** The token of a lock that is free. */
  take(locks: Locks, key: string, options?: Partial<LockRequest>): Promise<number>
  /** Settles when the condition is true, which is checked at each notification. */
  until(condition: () => boolean): Promise<void>
  /** The same client on a new connection, with the same request. */
  reconnected(): LockClient
}

/** Makes a client with a connection of its own. */
export function lockClient(user = 'ann', clientId: string | undefined = randomUUID(), ownRequest: string = randomUUID()): LockClient {
  const connectionId = randomUUID()
  const events: LockClient['events'][number][] = []
  const { until, check } = createUntil()
  const note = (event: LockClient['events'][number]): void => {
    events.push(event)
    check()
  }
  const acquire: LockClient['acquire'] = (locks, key, options) => {
    const request = options?.request ?? ownRequest
    return locks.acquire(key, {
      ...{ user, clientId, connectionId, request, ttlMs: 10_000, waits: false },
      onGranted: (token) => note({ kind: 'granted', token, request }),
      onLost: (token) => note({ kind: 'lost', token, request }),
      ...options,
    })
  }
  return {
    ...{ events, connectionId, acquire, until },
    take: async (locks, key, options) => {
      const acquired = await acquire(locks, key, options)
      if (acquired.state !== 'granted') throw new Error(`The lock is ${acquired.state}.`)
      return acquired.token
    },
    reconnected: () => lockClient(user, clientId, ownRequest),
  }
}
