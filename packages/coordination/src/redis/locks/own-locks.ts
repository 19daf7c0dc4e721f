import { createKeyedMutex } from '@tutti/protocol/internal'
import type { LockAcquired, LockRequest } from '../../locks/lock-contract.ts'
import { isUnapplied } from '../redis-failure.ts'
import { holderOf, type LockRecord } from './lock-record.ts'
import { createLockEnds, type LockEndsOptions } from './lock-ends.ts'
import { claimOf, type LockClaim, type LockStore } from './lock-store.ts'

interface OwnLock {
  readonly key: string
  readonly claim: LockClaim
  readonly request: LockRequest
  /** `asking`: the reply is missing. `held` and `waiting` as Redis replied, or announced. `over`: nothing more is reported. */
  state: 'asking' | 'waiting' | 'held' | 'over'
  token: number
  /** Whether the announcement of the grant has arrived. Earlier ones may still follow its reply. */
  isAnnounced: boolean
  /** Announcements before the reply. */
  early: LockRecord[]
  /** Stops following the topic. */
  unfollow: () => void
  timer?: NodeJS.Timeout
}

/** The locks that connections of this instance hold or wait for. */
export interface OwnLocks {
  /** Whether a request waits for the key. */
  waitsFor(key: string): boolean
  /** The token of the grant that a connection of this instance has. */
  tokenOf(key: string): number | undefined
  acquire(key: string, request: LockRequest, follow: () => { readonly ready: Promise<void>; end(): void }): Promise<LockAcquired>
  cancel(key: string, connectionId: string, request: string): Promise<void>
  release(key: string, connectionId: string, token: number): Promise<void>
  disconnect(connectionId: string): void
  apply(key: string, record: LockRecord): void
  /** Writes all again: Redis was away, or this instance has another lease. Resolves with false if that failed. */
  resync(): Promise<boolean>
  /** Settles when all requests in flight have their replies. */
  idle(): Promise<void>
  close(): void
}

/** What they need. */
export interface OwnLocksOptions extends Pick<LockEndsOptions, 'onUnused' | 'onFailed'> {
  store: LockStore
  leaseMs: number
  isOwnLease: (lease: string) => boolean
  /** A request waits for this holder, or was refused because of it. */
  onHeld: (key: string, record: LockRecord) => void
  onListenerError: (error: unknown) => void
}

/** Makes an empty set. */
export function createOwnLocks(options: OwnLocksOptions): OwnLocks {
  const { store, leaseMs, isOwnLease, onHeld, onListenerError } = options
  const byKey = new Map<string, Map<string, OwnLock>>()
  const byConnection = new Map<string, Map<string, OwnLock>>()
  /** Requests of one connection for one key are sent one after another. */
  const mutex = createKeyedMutex()
  const nameOf = (key: string, connection: string): string => `${connection} ${key}`
  const find = (key: string, connection: string): OwnLock | undefined => byKey.get(key)?.get(connection)
  /** Runs `task` after the earlier requests of the connection for the key. */
  const during = <Result>(key: string, connection: string, task: () => Promise<Result>): Promise<Result> =>
    mutex.run(nameOf(key, connection), task)
  const { end, repeat, collect } = createLockEnds({
    ...options,
    ...{ during, isUsed: (key) => byKey.has(key), isUsedBy: (key, connection) => find(key, connection) !== undefined },
  })

  const put = (lock: OwnLock): void => {
    const { key, claim } = lock
    byKey.set(key, (byKey.get(key) ?? new Map<string, OwnLock>()).set(claim.connection, lock))
    byConnection.set(claim.connection, (byConnection.get(claim.connection) ?? new Map<string, OwnLock>()).set(key, lock))
  }
  const forget = (lock: OwnLock): void => {
    lock.state = 'over'
    lock.unfollow()
    clearTimeout(lock.timer)
    const { key, claim } = lock
    if (find(key, claim.connection) !== lock) return
    byKey.get(key)?.delete(claim.connection)
    byConnection.get(claim.connection)?.delete(key)
    if (byConnection.get(claim.connection)?.size === 0) byConnection.delete(claim.connection)
    if (byKey.get(key)?.size === 0) byKey.delete(key)
  }
  const notify = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      onListenerError(error)
    }
  }
  const lose = (lock: OwnLock): void => {
    const { token, request } = lock
    forget(lock)
    collect(lock.key)
    notify(() => request.onLost(token))
  }
  const isGrantOf = (record: LockRecord, { claim }: OwnLock): boolean =>
    record.state === 'open' && record.connection === claim.connection && record.request === claim.request

  const applyTo = (lock: OwnLock, record: LockRecord): void => {
    const { key } = lock
    switch (lock.state) {
      case 'asking':
        lock.early.push(record)
        break
      case 'waiting':
        if (!isGrantOf(record, lock)) break
        ;[lock.state, lock.token, lock.isAnnounced] = ['held', record.token, true]
        notify(() => lock.request.onGranted(record.token))
        break
      case 'held':
        if (record.token === lock.token && record.state === 'open' && record.connection === lock.claim.connection) {
          lock.isAnnounced ||= record.request === lock.claim.request
        } else if (record.token < lock.token || (record.token === lock.token && !lock.isAnnounced)) break
        // The same holder, on another connection, or while it has none.
        else if (record.token === lock.token && record.state !== 'ended') {
          forget(lock)
          collect(key)
        } else lose(lock)
        break
      case 'over':
    }
  }
  const settle = (lock: OwnLock, reply: Awaited<ReturnType<LockStore['acquire']>>): LockAcquired => {
    const early = lock.early.splice(0)
    const replay = (): void => {
      for (const record of early) applyTo(lock, record)
    }
    if (reply.verdict === 'granted') {
      ;[lock.state, lock.token, lock.isAnnounced] = ['held', reply.token, false]
      replay()
      return { state: 'granted', token: reply.token }
    }
    if (reply.verdict === 'waiting') {
      lock.state = 'waiting'
      onHeld(lock.key, reply.record)
      // After the reply.
      setImmediate(replay)
      return { state: 'waiting' }
    }
    forget(lock)
    collect(lock.key)
    onHeld(lock.key, reply.record)
    return { state: 'held', holder: holderOf(reply.record) ?? { user: '' } }
  }

  const resyncOne = (lock: OwnLock, isPatient = true): Promise<void> =>
    during(lock.key, lock.claim.connection, async () => {
      if (lock.state === 'waiting') {
        if (isPatient && !(await store.read({ key: lock.key })).has(lock.key)) return again(lock)
        const reply = await store.acquire(lock.key, lock.claim, true)
        if (reply.verdict !== 'granted' || lock.state !== 'waiting') return
        ;[lock.state, lock.token, lock.isAnnounced] = ['held', reply.token, false]
        notify(() => lock.request.onGranted(reply.token))
      } else if (lock.state === 'held' && !(await store.keep(lock.key, lock.claim, lock.token)) && lock.state === 'held') lose(lock)
    })

  /** The lock is free, so its record was lost: its holder has the time of a lease to write it again. */
  const again = (lock: OwnLock): void => {
    clearTimeout(lock.timer)
    lock.timer = setTimeout(() => void resyncOne(lock, false).catch(() => again(lock)), leaseMs)
  }

  return {
    waitsFor: (key) => [...(byKey.get(key)?.values() ?? [])].some(({ state }) => state === 'waiting' || state === 'asking'),
    tokenOf: (key) => [...(byKey.get(key)?.values() ?? [])].find(({ state }) => state === 'held')?.token,
    acquire: (key, request, follow) => {
      const claim = claimOf(request)
      const { connection } = claim
      const lock: OwnLock = {
        ...{ key, claim, request, state: 'asking', token: 0, isAnnounced: false, early: [], unfollow: () => {} },
      }
      return during(key, connection, async () => {
        // What ended while Redis was away: otherwise this would continue a former request or grant of its owner.
        await repeat(key)
        const before = find(key, connection)
        put(lock)
        const following = follow()
        lock.unfollow = following.end
        try {
          await following.ready
          const acquired = settle(lock, await store.acquire(key, claim, request.waits))
          // The one before is part of this one.
          if (before !== undefined) forget(before)
          return acquired
        } catch (error) {
          forget(lock)
          // A lock that the connection has already is as before, or was granted again with the same token.
          if (before !== undefined && before.state !== 'over') put(before)
          // This one may have been applied.
          else if (!isUnapplied(error)) void end(key, connection, ['cancel', connection, claim.request])
          else collect(key)
          throw error
        }
      })
    },
    cancel: (key, connectionId, request) => {
      const [connection, name] = [encodeURIComponent(connectionId), encodeURIComponent(request)]
      return during(key, connection, async () => {
        const lock = find(key, connection)
        if (lock?.claim.request === name) forget(lock)
        await end(key, connection, ['cancel', connection, name])
      })
    },
    release: (key, connectionId, token) => {
      const connection = encodeURIComponent(connectionId)
      return during(key, connection, async () => {
        const lock = find(key, connection)
        // A release of an earlier grant may arrive late: a later request of the connection continues.
        if (lock === undefined || lock.state !== 'held' || lock.token !== token) return
        forget(lock)
        await end(key, connection, ['release', connection, token])
      })
    },
    disconnect: (connectionId) => {
      const connection = encodeURIComponent(connectionId)
      // Those whose request is in flight are in the map too: this runs after it.
      for (const { key } of [...(byConnection.get(connection)?.values() ?? [])]) {
        void during(key, connection, async () => {
          const lock = find(key, connection)
          if (lock === undefined) return
          const { ttlMs } = lock.request
          forget(lock)
          await end(key, connection, ['leave', connection, ttlMs])
        })
      }
    },
    apply: (key, record) => {
      const locks = byKey.get(key)
      for (const lock of [...(locks?.values() ?? [])]) applyTo(lock, record)
      if (record.state !== 'open' || !isOwnLease(record.lease) || mutex.has(nameOf(key, record.connection))) return
      // A grant to a request that is no longer known here.
      const { connection, token } = record
      if (find(key, connection) === undefined) void during(key, connection, () => end(key, connection, ['release', connection, token]))
    },
    resync: async () => {
      const locks = [...byKey.values()].flatMap((some) => [...some.values()])
      const results = await Promise.allSettled(locks.map((lock) => resyncOne(lock)))
      return results.every(({ status }) => status === 'fulfilled')
    },
    idle: () => mutex.idle(),
    close: () => {
      for (const lock of [...byKey.values()].flatMap((locks) => [...locks.values()])) forget(lock)
      byKey.clear()
      byConnection.clear()
    },
  }
}
