import { parseKey, parsePrefix, RealtimeError } from '@tutti/protocol'
import type { CoordinationSettings } from '../coordination-options.ts'
import type { LockAcquired, LockHolder, LockRequest, Locks } from '../locks/lock-contract.ts'
import { isStableOwner, lockOwner } from '../locks/lock-owner.ts'
import { createLockWatches } from '../locks/lock-watches.ts'

/** Ended locks whose tokens are remembered, so that a later token is greater even if the clock was set back. */
const MAX_TOMBSTONES = 10_000

interface Grant {
  readonly token: number
  readonly owner: string
  readonly holder: LockHolder
  /** The name of the request. */
  readonly name: string
  /** Undefined while the holder has no connection. */
  request: LockRequest | undefined
  timer?: NodeJS.Timeout | undefined
}

interface MemoryLock {
  grant?: Grant | undefined
  readonly waiting: { owner: string; request: LockRequest }[]
}

/** The locks of one process. */
export interface MemoryLocks extends Locks {
  close(): void
}

const holderOf = ({ user, info }: LockRequest): LockHolder => (info === undefined ? { user } : { user, info })

/** Makes the locks of one process. All calls take effect at once. */
export function createMemoryLocks(settings: CoordinationSettings): MemoryLocks {
  const locks = new Map<string, MemoryLock>()
  const tombstones = new Map<string, number>()
  /** Keys that an open connection has or waits for. */
  const keysOf = new Map<string, Set<string>>()
  let isClosed = false
  const watches = createLockWatches({
    follow: () => ({ ready: Promise.resolve(), end: () => {} }),
    read: async (target) => read((key) => ('key' in target ? key === target.key : key.startsWith(target.prefix))),
    onListenerError: (error) => settings.onError(error, { stage: 'listener' }),
  })
  const read = (wants: (key: string) => boolean): Map<string, LockHolder> =>
    new Map([...locks].flatMap(([key, { grant }]) => (grant !== undefined && wants(key) ? [[key, grant.holder] as const] : [])))
  const assertOpen = (): void => {
    if (isClosed) throw new RealtimeError('CLOSED')
  }
  const lockOf = (key: string): MemoryLock => {
    assertOpen()
    const lock = locks.get(parseKey(key)) ?? { waiting: [] }
    locks.set(key, lock)
    return lock
  }
  const collect = (key: string, { grant, waiting }: MemoryLock): void => {
    if (grant === undefined && waiting.length === 0) locks.delete(key)
  }
  const noteUse = (key: string, { connectionId }: LockRequest): void =>
    void keysOf.set(connectionId, (keysOf.get(connectionId) ?? new Set()).add(key))
  const noteEnd = (key: string, { connectionId }: LockRequest): void => {
    const keys = keysOf.get(connectionId)
    if (keys?.delete(key) === true && keys.size === 0) keysOf.delete(connectionId)
  }
  const isHeldBy = (grant: Grant | undefined, connectionId: string): grant is Grant =>
    grant !== undefined && grant.request?.connectionId === connectionId

  const hold = (key: string, lock: MemoryLock, owner: string, request: LockRequest, token?: number): number => {
    clearTimeout(lock.grant?.timer)
    const granted = token ?? Math.max((tombstones.get(key) ?? 0) + 1, Math.floor(Date.now() * 1_000))
    tombstones.delete(key)
    lock.grant = { token: granted, owner, holder: holderOf(request), name: request.request, request }
    return granted
  }
  /** Ends a grant; the next request is granted. */
  const finish = (key: string, lock: MemoryLock, grant: Grant, isOwnCall: boolean): void => {
    clearTimeout(grant.timer)
    lock.grant = undefined
    if (grant.request !== undefined) noteEnd(key, grant.request)
    tombstones.set(key, grant.token)
    for (const oldest of tombstones.keys()) {
      if (tombstones.size <= MAX_TOMBSTONES) break
      tombstones.delete(oldest)
    }
    // The holder first.
    if (!isOwnCall) grant.request?.onLost(grant.token)
    const next = lock.waiting.shift()
    if (next === undefined) watches.apply(key, undefined)
    else {
      next.request.onGranted(hold(key, lock, next.owner, next.request))
      watches.apply(key, holderOf(next.request))
    }
    collect(key, lock)
  }
  const acquire = (key: string, request: LockRequest): LockAcquired => {
    const lock = lockOf(key)
    const owner = lockOwner(request)
    const { waiting } = lock
    let { grant } = lock
    // Its client has ended that request.
    while (grant?.owner === owner && grant.request?.connectionId !== request.connectionId && grant.name !== request.request) {
      finish(key, lock, grant, false)
      grant = lock.grant
    }
    if (grant === undefined || grant.owner === owner) {
      const token = hold(key, lock, owner, request, grant?.token)
      noteUse(key, request)
      watches.apply(key, holderOf(request))
      return { state: 'granted', token }
    }
    if (!request.waits) return { state: 'held', holder: grant.holder }
    const place = waiting.findIndex((entry) => entry.owner === owner)
    const before = waiting[place]?.request
    const keepsPlace = before?.connectionId === request.connectionId || before?.request === request.request
    if (place !== -1) waiting.splice(place, 1)
    waiting.splice(keepsPlace ? place : waiting.length, 0, { owner, request })
    noteUse(key, request)
    return { state: 'waiting' }
  }
  const leaveQueue = (key: string, lock: MemoryLock, isLeaving: (request: LockRequest) => boolean): void => {
    for (const { request } of lock.waiting) if (isLeaving(request)) noteEnd(key, request)
    lock.waiting.splice(0, lock.waiting.length, ...lock.waiting.filter(({ request }) => !isLeaving(request)))
  }
  const leave = (key: string, lock: MemoryLock, connectionId: string): void => {
    leaveQueue(key, lock, (request) => request.connectionId === connectionId)
    const { grant } = lock
    if (isHeldBy(grant, connectionId)) {
      const ttlMs = grant.request?.ttlMs
      grant.request = undefined
      if (!isStableOwner(grant.owner)) return finish(key, lock, grant, true)
      grant.timer = setTimeout(() => finish(key, lock, grant, true), ttlMs)
    }
    collect(key, lock)
  }

  return {
    acquire: async (key, request) => acquire(key, request),
    cancel: async (key, connectionId, request) => {
      const lock = lockOf(key)
      const isThis = (other: LockRequest): boolean => other.connectionId === connectionId && other.request === request
      leaveQueue(key, lock, isThis)
      if (isHeldBy(lock.grant, connectionId) && lock.grant.request && isThis(lock.grant.request)) finish(key, lock, lock.grant, true)
      collect(key, lock)
    },
    release: async (key, connectionId, token) => {
      const lock = lockOf(key)
      if (isHeldBy(lock.grant, connectionId) && lock.grant.token === token) finish(key, lock, lock.grant, true)
      collect(key, lock)
    },
    end: async (key) => {
      const lock = lockOf(key)
      if (lock.grant !== undefined) finish(key, lock, lock.grant, false)
      collect(key, lock)
    },
    disconnect: (connectionId) => {
      const keys = keysOf.get(connectionId) ?? []
      keysOf.delete(connectionId)
      for (const key of keys) {
        const lock = locks.get(key)
        if (lock !== undefined) leave(key, lock, connectionId)
      }
    },
    list: async (prefix) => {
      assertOpen()
      parsePrefix(prefix)
      return read((key) => key.startsWith(prefix))
    },
    watch: (target, onChange) => {
      assertOpen()
      return watches.watch(target, onChange)
    },
    guard: ({ key, token, writer, always = false }) => {
      const owner = writer && lockOwner(writer)
      const refusal = (): 'lost' | 'locked' | undefined => {
        const grant = locks.get(key)?.grant
        if (token === 0) return grant !== undefined || always ? 'locked' : undefined
        if (grant?.token !== token) return 'lost'
        return owner === undefined || grant.owner === owner ? undefined : 'locked'
      }
      return { token, owner, always, refusal }
    },
    close: () => {
      isClosed = true
      for (const { grant } of locks.values()) clearTimeout(grant?.timer)
      locks.clear()
      watches.close()
    },
  }
}
