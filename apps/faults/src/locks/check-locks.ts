import type { LockHistory, SeenHold, SeenRequest } from './lock-history.ts'

/** The rules of a run. */
export const LOCK_RULES = {
  token: 'two clients have a grant with the same token',
  rise: 'a later grant has a smaller token',
  overlap: 'a client was not notified that another one has its lock',
  fencing: 'a bound write was applied after a later grant',
  order: 'a request was granted before one that was queued earlier',
  kept: 'a client that reconnected in time did not keep its lock',
  late: 'the lock of a killed instance ended too late, or not at all',
  views: 'after a quiet period a lock has a holder that does not know it, or a client a grant that has ended',
  unsettled: 'a request or a write has no outcome, or was refused without a reason',
  room: 'a broadcast after a join did not reach the member, or reached it too late',
} as const

/** A violation of a rule. */
export interface LockViolation {
  readonly rule: keyof typeof LOCK_RULES
  readonly message: string
}

/** The bounds of the checked period. */
export interface LockBounds {
  /** How long a lock lasts at least after the connection of its holder was lost. */
  readonly keptMs: number
  /** How long the lock of a killed instance lasts at most. */
  readonly endMs: number
  /** How long after a later grant the former holder is notified. */
  readonly noticeMs: number
  /** Instances that were not restarted kept their leases. Otherwise their requests were queued again. */
  readonly isOrdered: boolean
  /** By how much faults between these times extend a bound. */
  allowance(fromMs: number, toMs: number): number
}

/** The result of a check. */
export interface LockCheck {
  readonly violations: readonly LockViolation[]
  readonly grants: number
  /** Grants of requests that had been queued. */
  readonly queued: number
  /** Grants that continued on another connection. */
  readonly kept: number
  /** Bound writes that were applied, and those that were refused with `LOCK_LOST`. */
  readonly writes: number
  readonly refusedWrites: number
  /** Clients that had a lock and never connected again. */
  readonly dead: number
  /** The longest time from the end of their connection until the next grant, milliseconds. */
  readonly longestMs: number
}

type Granted = SeenRequest & { token: number; grantedMs: number }

/** Checks what the clients recorded. All their times are of one clock. */
export function checkLocks(history: LockHistory, bounds: LockBounds): LockCheck {
  const { requests, holds, writes, refusedWrites } = history
  const violations: LockViolation[] = history.unexpected.map((message) => ({ rule: 'unsettled', message }))
  const fail = (rule: LockViolation['rule'], message: string): void => void violations.push({ rule, message })
  const granted = requests.filter((request): request is Granted => request.token !== undefined && request.grantedMs !== undefined)
  let [kept, dead, longestMs] = [0, 0, 0]

  for (const [key, own] of Map.groupBy(holds, (hold) => hold.key)) {
    const grants = Map.groupBy(own, ({ token }) => token)
    const tokens = [...grants.keys()].sort((a, b) => a - b)
    for (const [token, same] of grants) {
      const clients = new Set(same.map(({ client }) => client))
      if (clients.size > 1) fail('token', `${key}: ${token} was granted to ${[...clients].join(' and ')}`)
    }
    for (const [index, token] of tokens.entries()) {
      const next = tokens[index + 1]
      const last = lastOf(grants.get(token) ?? [])
      const following = next === undefined ? undefined : firstOf(grants.get(next) ?? [])
      if (last?.isDead) {
        dead += 1
        // Without a later grant, the lock must be free at the end.
        const tookMs = (following?.fromMs ?? 0) - (last.toMs ?? 0)
        longestMs = Math.max(longestMs, tookMs)
        if (tookMs > bounds.endMs + bounds.allowance(last.toMs ?? 0, following?.fromMs ?? 0))
          fail('late', `${key}: ${token} of ${last.client} ended ${tookMs} ms after its connection`)
      }
      if (last === undefined || following === undefined || last.client === following.client) continue
      const lateMs = (last.toMs ?? Infinity) - following.fromMs
      if (lateMs > bounds.noticeMs + bounds.allowance(following.fromMs - bounds.noticeMs, last.toMs ?? Infinity))
        fail('overlap', `${key}: ${last.client} had ${token} for ${lateMs} ms after ${next} of ${following.client}`)
    }
    for (const { client, token, version } of writes.filter((write) => write.key === key)) {
      const next = tokens.find((other) => other > token)
      if (next !== undefined && version > next) fail('fencing', `${key}: ${client} wrote ${version} with ${token}, after ${next}`)
    }
  }

  for (const [key, own] of Map.groupBy(granted, (request) => request.key)) {
    const tokensKnown = new Set<number>()
    const first = own.sort((a, b) => a.grantedMs - b.grantedMs).filter(({ token }) => !tokensKnown.has(token) && tokensKnown.add(token))
    for (const earlier of first) {
      for (const later of first) {
        if (earlier.token <= later.token || later === earlier) continue
        // `later` has the smaller token.
        if (earlier.grantedMs < later.sentMs) fail('rise', `${key}: ${later.token} was granted after ${earlier.token}`)
        // A token is the time of its grant in microseconds: an earlier grant may belong to an earlier request of its client.
        else if (bounds.isOrdered && isQueuedBefore(earlier, later) && !later.continues)
          fail('order', `${key}: ${JSON.stringify(earlier)} waited, ${JSON.stringify(later)} had it first`)
      }
    }
  }

  for (const { client, key, before, token, grantedMs, refusedMs, sentMs } of requests) {
    const knownMs = Math.min(grantedMs ?? Infinity, refusedMs ?? Infinity)
    if (before === undefined || knownMs === Infinity) continue
    if (token === before.token) kept += 1
    else if (knownMs < before.lostMs + bounds.keptMs - bounds.allowance(before.lostMs - bounds.keptMs, knownMs))
      fail('kept', `${key}: ${client} had ${before.token}, and ${token ?? 'nothing'} ${sentMs - before.lostMs} ms after its connection`)
  }
  const queued = granted.filter(({ queuedMs }) => queuedMs !== undefined).length
  return { violations, grants: granted.length, queued, kept, writes: writes.length, refusedWrites, dead, longestMs }
}

const isQueuedBefore = ({ queuedMs }: Granted, { sentMs, token }: Granted): boolean =>
  queuedMs !== undefined && queuedMs < Math.min(sentMs, token / 1_000)

const firstOf = (holds: readonly SeenHold[]): SeenHold | undefined => [...holds].sort((a, b) => a.fromMs - b.fromMs)[0]
const lastOf = (holds: readonly SeenHold[]): SeenHold | undefined => [...holds].sort((a, b) => a.fromMs - b.fromMs).at(-1)
