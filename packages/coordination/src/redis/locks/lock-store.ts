import { RealtimeError } from '@tutti/protocol'
import type { RedisLink, RedisScript } from '@tutti/pubsub/redis'
import type { LockHolder, LockRequest, LockTarget } from '../../locks/lock-contract.ts'
import { lockOwner } from '../../locks/lock-owner.ts'
import { lockTopic } from '../../locks/lock-topic.ts'
import { infoText } from '../../members/member-info.ts'
import type { RedisLease } from '../instance-lease.ts'
import type { LeaseHolds } from '../lease-holds.ts'
import type { RedisLayout } from '../redis-layout.ts'
import { scriptSetup } from '../script-setup.ts'
import { textsOf } from '../script-reply.ts'
import { createLockIndex } from './lock-index.ts'
import { holderOf, parseLockRecord, type LockRecord } from './lock-record.ts'
import { ACQUIRE_LOCK, END_LOCK, KEEP_LOCK, LOCK_FUNCTIONS } from './lock-scripts.ts'

/** All that a grant writes but the lease. */
export interface LockClaim {
  readonly owner: string
  readonly connection: string
  readonly request: string
  /** User and info, as in the record. */
  readonly rest: string
}

/** The claim of a request. */
export const claimOf = (request: LockRequest): LockClaim => ({
  owner: lockOwner(request),
  connection: encodeURIComponent(request.connectionId),
  request: encodeURIComponent(request.request),
  rest: `${encodeURIComponent(request.user)} ${infoText(request.info)}`,
})

/** How a lock, or requests for it, end. The arguments are documented at the script. */
export type LockEnd =
  | ['release', connection: string, token: number]
  | ['cancel', connection: string, request: string]
  | ['leave', connection: string, ttlMs: number]
  | ['sweep', lease: string]
  | ['end' | 'expire']

/** Locks in Redis. */
export interface LockStore {
  acquire(
    key: string,
    claim: LockClaim,
    waits: boolean,
  ): Promise<{ verdict: 'granted'; token: number } | { verdict: 'waiting' | 'held'; record: LockRecord }>
  /** Writes a grant again. Resolves with false where it has ended. */
  keep(key: string, claim: LockClaim, token: number): Promise<boolean>
  /** Resolves with the milliseconds until the lock of a holder without a connection ends, or 0. */
  end(key: string, end: LockEnd): Promise<number>
  /** The locks that have not ended, by key, with their records. */
  read(target: LockTarget): Promise<ReadonlyMap<string, LockRecord>>
}

/** Keys that are read by one command. */
const PAGE = 1_000

/** Makes the requests for locks. */
export function createLockStore(
  link: RedisLink,
  layout: RedisLayout,
  lease: RedisLease,
  holds: LeaseHolds,
  { leaseMs, heartbeatMs, tombstoneMs }: { leaseMs: number; heartbeatMs: number; tombstoneMs: number },
): LockStore {
  const index = createLockIndex(link, layout)
  const setup = `${scriptSetup(leaseMs, link.isCluster ? heartbeatMs : 0)}
local TOMBSTONE_MS = ${tombstoneMs}
${layout.hasRemoteLocks ? 'local INDEX' : ''}`
  const sharedKeys: { INDEX?: string } = layout.hasRemoteLocks ? {} : { INDEX: layout.lockIndex }
  const script = (run: string): RedisScript => link.script({ setup, functions: LOCK_FUNCTIONS, run, sharedKeys: { ...sharedKeys } })
  const [acquire, keep, end] = [script(ACQUIRE_LOCK), script(KEEP_LOCK), script(END_LOCK)]

  /** Runs a script that writes under the lease, which names the lock before. */
  const write = (
    key: string,
    run: RedisScript,
    { owner, connection, request, rest }: LockClaim,
    last: string | number,
  ): Promise<string[]> =>
    lease.guard(async (own, expiry) => {
      const held = await holds.add(`lock ${key}`, own, expiry)
      if (held[0] === 'late') return [...held]
      await index.claim(key, expiry)
      const args = [layout.lockRedisChannel(lockTopic(key)), key, own, expiry, owner, connection, request, rest, last]
      return textsOf(await run.run(layout.lock(key), args))
    })

  const texts = async (keys: readonly string[]): Promise<(string | null)[]> => {
    const names = keys.map((key) => layout.lock(key)[0])
    const reply = link.isCluster
      ? await Promise.all(names.map((name) => link.command('GET', name)))
      : names.length > 0
        ? await link.command('MGET', ...names)
        : []
    return Array.isArray(reply) ? reply.map((text) => (typeof text === 'string' ? text : null)) : []
  }
  const readKeys = async (keys: readonly string[]): Promise<Map<string, LockRecord>> => {
    const found = new Map<string, LockRecord>()
    for (let start = 0; start < keys.length; start += PAGE) {
      const page = keys.slice(start, start + PAGE)
      const read = await texts(page)
      for (const [place, key] of page.entries()) {
        const record = parseLockRecord(read[place] ?? '')
        if (record !== undefined && record.state !== 'ended') found.set(key, record)
      }
    }
    return found
  }

  return {
    acquire: async (key, claim, waits) => {
      const [verdict, detail = ''] = await write(key, acquire, claim, waits ? 'wait' : '')
      if (verdict === 'granted') return { verdict, token: Number(detail) }
      const record = parseLockRecord(detail)
      if ((verdict !== 'waiting' && verdict !== 'held') || record === undefined) {
        throw new RealtimeError('INTERNAL', { message: `Unexpected reply from a Redis script about the lock of ${key}: ${verdict}.` })
      }
      return { verdict, record }
    },
    keep: async (key, claim, token) => (await write(key, keep, claim, token))[0] === 'kept',
    end: async (key, [mode, ...args]) => {
      const channel = layout.lockRedisChannel(lockTopic(key))
      return Number(await end.run(layout.lock(key), [channel, key, mode, ...args]))
    },
    read: async (target) => {
      if ('key' in target) return readKeys([target.key])
      const names = await index.list(target.prefix)
      const found = await readKeys(names)
      const isFree = async (key: string): Promise<boolean> => (await readKeys([key])).size === 0
      await index.forget(
        names.filter((key) => !found.has(key)),
        isFree,
      )
      return found
    },
  }
}

/** The holders of records. */
export const holdersOf = (records: ReadonlyMap<string, LockRecord>): Map<string, LockHolder> =>
  new Map(
    [...records].flatMap(([key, record]) => [holderOf(record)].flatMap((holder) => (holder === undefined ? [] : [[key, holder] as const]))),
  )
