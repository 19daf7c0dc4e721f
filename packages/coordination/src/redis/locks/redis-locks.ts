import { parseKey, parsePrefix, RealtimeError } from '@tutti/protocol'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { CoordinationSettings } from '../../coordination-options.ts'
import type { Locks } from '../../locks/lock-contract.ts'
import { lockOwner } from '../../locks/lock-owner.ts'
import { lockTopic } from '../../locks/lock-topic.ts'
import { createLockWatches } from '../../locks/lock-watches.ts'
import type { LeaseHolds } from '../lease-holds.ts'
import type { RedisLease } from '../instance-lease.ts'
import { createOrphanSweep } from '../orphan-sweep.ts'
import { isAway } from '../redis-failure.ts'
import type { RedisLayout } from '../redis-layout.ts'
import { textsOf } from '../script-reply.ts'
import { holderOf, type LockRecord } from './lock-record.ts'
import { createLockStore, holdersOf } from './lock-store.ts'
import { createLockTimers } from './lock-timers.ts'
import { createLockTopics } from './lock-topics.ts'
import { createOwnLocks } from './own-locks.ts'

/** The locks of one instance on Redis. */
export interface RedisLocks extends Locks {
  /** Ends what a dead lease has of a lock. */
  sweep(key: string, lease: string): Promise<void>
  /** After a heartbeat: repeats what has failed. */
  onBeat(): void
  /** Messages may have been missed, or the lease is another one. */
  resync(): Promise<void>
  /** Settles when what connections have left behind is sent. */
  idle(): Promise<void>
  close(): void
}

/** What the locks need. */
export interface RedisLocksOptions {
  link: RedisLink
  instanceId: string
  settings: CoordinationSettings & { leaseMs: number; heartbeatMs: number; tombstoneMs: number }
  layout: RedisLayout
  lease: RedisLease
  holds: LeaseHolds
}

/** Makes the locks of one instance. */
export function createRedisLocks({ link, instanceId, settings, layout, lease, holds }: RedisLocksOptions): RedisLocks {
  const store = createLockStore(link, layout, lease, holds, settings)
  /** Ends that have failed, to be repeated. */
  let failed: (() => Promise<unknown>)[] = []
  let isDoubtful = false
  let isClosed = false
  const report = (error: unknown): void => {
    // The link reports a lost connection itself.
    if (!isClosed && !isAway(error)) settings.onError(error, { stage: 'locks' })
  }
  const assertOpen = (): void => {
    if (isClosed) throw new RealtimeError('CLOSED')
  }
  const own = createOwnLocks({
    store,
    leaseMs: settings.leaseMs,
    isOwnLease: (id) => id.slice(0, id.lastIndexOf('.')) === instanceId,
    onUnused: (key, isUsed) => holds.remove(`lock ${key}`, isUsed),
    onFailed: (error, repeat) => {
      report(error)
      failed.push(repeat)
    },
    onHeld: (key, record) => {
      noteEnd(key, record)
      noteOrphan(key, record)
    },
    onListenerError: (error) => settings.onError(error, { stage: 'listener' }),
  })
  /** Locks of leases that this instance does not know, by lease. */
  const ofUnknown = new Map<string, Set<string>>()
  const orphans = createOrphanSweep({
    ...{ lease, leaseMs: settings.leaseMs, onEmpty: () => {}, onError: report },
    sweep: async (dead) => {
      const noted = ofUnknown.get(dead)
      const keys = [...(noted ?? [])]
      await Promise.all(keys.map((key) => store.end(key, ['sweep', dead])))
      for (const key of keys) noted?.delete(key)
      if (noted?.size === 0) ofUnknown.delete(dead)
      return { removed: 0, remaining: 0 }
    },
  })
  const noteOrphan = (key: string, record: LockRecord): void => {
    if (record.state !== 'open' || lease.live.has(record.lease) || lease.hasEnded(record.lease)) return
    ofUnknown.set(record.lease, (ofUnknown.get(record.lease) ?? new Set()).add(key))
    orphans.check([record.lease])
  }
  const timers = createLockTimers(
    (key) => store.end(key, ['expire']),
    (key) => !isClosed && (own.waitsFor(key) || watches.has(key)),
  )
  const noteEnd = (key: string, record: LockRecord): void =>
    timers.set(key, record.state === 'left' ? Math.max(1, record.until - link.now()) : 0)
  const topics = createLockTopics({
    link,
    layout,
    onRecord: (key, record) => {
      // The holder first (L3).
      own.apply(key, record)
      watches.apply(key, holderOf(record))
      noteEnd(key, record)
    },
    onError: (error) => settings.onError(error, { stage: 'message' }),
  })
  const watches = createLockWatches({
    follow: (target) => topics.follow(lockTopic('key' in target ? target.key : target.prefix)),
    read: async (target) => {
      const records = await store.read(target)
      for (const [key, record] of records) noteEnd(key, record)
      return holdersOf(records)
    },
    onListenerError: (error) => settings.onError(error, { stage: 'listener' }),
  })

  /** Locks that name this lease and that nothing here knows: a failover has restored them. */
  const endUnknown = async (): Promise<void> => {
    const { id } = lease
    const names = textsOf(await link.command('SMEMBERS', layout.holds(id)))
    const keys = names.flatMap((name) => (name.startsWith('lock ') ? [name.slice(5)] : []))
    await Promise.all(
      keys.filter((key) => own.tokenOf(key) === undefined && !own.waitsFor(key)).map((key) => store.end(key, ['sweep', id])),
    )
  }
  const resync = async (): Promise<void> => {
    isDoubtful = false
    const results = await Promise.allSettled([own.resync(), watches.resync(), endUnknown()])
    isDoubtful = results.some((result) => result.status === 'rejected' || result.value === false)
    for (const result of results) if (result.status === 'rejected') report(result.reason)
  }

  return {
    acquire: async (key, request) => {
      assertOpen()
      parseKey(key)
      return own.acquire(key, request, () => topics.follow(lockTopic(key)))
    },
    cancel: async (key, connectionId, request) => {
      assertOpen()
      await own.cancel(key, connectionId, request)
    },
    release: async (key, connectionId, token) => {
      assertOpen()
      await own.release(key, connectionId, token)
    },
    end: async (key) => {
      assertOpen()
      await store.end(parseKey(key), ['end'])
    },
    disconnect: (connectionId) => own.disconnect(connectionId),
    list: async (prefix) => {
      assertOpen()
      return holdersOf(await store.read({ prefix: parsePrefix(prefix) }))
    },
    watch: (target, onChange) => {
      assertOpen()
      return watches.watch(target, onChange)
    },
    guard: ({ key, token, writer, always = false }, writeKey) => {
      if (link.isCluster && layout.hasRemoteLocks && key !== writeKey) {
        throw new RealtimeError('INVALID_MESSAGE', {
          message: `On a Redis Cluster a write of ${writeKey} can be bound to its own lock only.`,
        })
      }
      const known = own.tokenOf(key)
      return {
        ...{ record: layout.lock(key)[0], token, owner: writer && lockOwner(writer), always },
        refusal: () => (token === 0 ? (always ? 'locked' : undefined) : known === token ? undefined : 'lost'),
      }
    },
    sweep: async (key, dead) => void (await store.end(key, ['sweep', dead])),
    onBeat: () => {
      const repeated = failed
      failed = []
      for (const repeat of repeated) {
        repeat().catch((error: unknown) => {
          failed.push(repeat)
          report(error)
        })
      }
      if (isDoubtful) void resync()
    },
    resync,
    idle: () => own.idle(),
    close: () => {
      isClosed = true
      timers.clear()
      orphans.clear()
      watches.close()
      own.close()
      topics.close()
    },
  }
}
