import type { Membership, PresenceHistory } from './presence-history.ts'

/** The rules of a run. */
export const PRESENCE_RULES = {
  'false-leave': 'a member whose client was connected, or still could reconnect, was reported as gone',
  'late-leave': 'a member that was gone was shown for too long',
  identity: 'a client that reconnected within the grace became another member',
  views: 'after a quiet period an observer does not show exactly the living connections',
  keys: 'Redis still contains something of a dead instance',
} as const

/** A violation of a rule. */
export interface PresenceViolation {
  readonly rule: keyof typeof PRESENCE_RULES
  readonly message: string
}

/** The bounds of the checked period. */
export interface PresenceBounds {
  readonly graceMs: number
  /** By so much the grace may have begun before a client noticed the loss: the heartbeat interval and the stalls. */
  readonly earlyMs: number
  /** How long after its last connection a member may be shown. */
  readonly lateMs: number
}

/** The result of a check. */
export interface PresenceCheck {
  readonly violations: readonly PresenceViolation[]
  /** Clients that reconnected as the same member. */
  readonly returned: number
  /** Members that an observer saw leave after their grace. */
  readonly gone: number
  /** The longest time from the end of a connection until an observer no longer showed its member, milliseconds. */
  readonly longestMs: number
}

/** Checks what the clients recorded, once every client is settled. */
export function checkPresence({ memberships, leaves }: PresenceHistory, bounds: PresenceBounds): PresenceCheck {
  const { graceMs, earlyMs, lateMs } = bounds
  const violations: PresenceViolation[] = []
  const byId = Map.groupBy(memberships, ({ id }) => id)
  const gone = new Set<string>()
  let longestMs = 0

  for (const { observer, room, id, atMs, isFirstReply } of leaves) {
    const own = byId.get(id)
    // The reply to the only join was lost: no client knows this id.
    if (own === undefined) continue
    const periods = periodsOf(own, graceMs - earlyMs)
    const fits = ({ isOverMs, latestMs }: Period): boolean => isOverMs <= atMs && (isFirstReply || atMs <= latestMs + lateMs)
    const { endMs, isOverMs, latestMs } = periods.find(fits) ?? periods.findLast(({ fromMs }) => fromMs <= atMs) ?? lastOf(periods)
    const where = `${observer} in ${room}${isFirstReply ? ', reconnected' : ''}: ${id}`
    if (endMs === Infinity) violations.push({ rule: 'false-leave', message: `${where} left, and its client is connected` })
    else if (atMs < isOverMs) violations.push({ rule: 'false-leave', message: `${where} left ${atMs - endMs} ms after its connection` })
    else {
      gone.add(id)
      if (isFirstReply) continue
      longestMs = Math.max(longestMs, atMs - latestMs)
      if (atMs > latestMs + lateMs)
        violations.push({ rule: 'late-leave', message: `${where} left ${atMs - latestMs} ms after its connection` })
    }
  }

  let returned = 0
  for (const own of Map.groupBy(memberships, ({ client }) => client).values()) {
    for (const [index, { client, id, fromMs }] of own.entries()) {
      const before = own[index - 1]
      if (before?.toMs === undefined) continue
      if (before.id === id) returned += 1
      else if (fromMs < before.toMs + graceMs - earlyMs)
        violations.push({ rule: 'identity', message: `${client} reconnected after ${fromMs - before.toMs} ms as another member` })
    }
  }
  return { violations, returned, gone: gone.size, longestMs }
}

/** A membership from its first join until its grace is over: connections that followed each other within the grace. */
interface Period {
  readonly fromMs: number
  /** The end of the last connection; infinite while one is open. */
  endMs: number
  /** When the member may leave. */
  isOverMs: number
  /** The last moment at which a connection may have continued it. */
  latestMs: number
}

/** A client has the same id in each of its periods. */
function periodsOf(memberships: readonly Membership[], leastMs: number): Period[] {
  const periods: Period[] = []
  for (const { fromMs, toMs = Infinity, triedMs = 0, isClosed } of memberships.toSorted((a, b) => a.fromMs - b.fromMs)) {
    let period = periods.at(-1)
    if (period === undefined || fromMs > period.isOverMs) periods.push((period = { fromMs, endMs: 0, isOverMs: 0, latestMs: 0 }))
    period.endMs = Math.max(period.endMs, toMs)
    period.isOverMs = isClosed ? toMs : Math.max(period.isOverMs, toMs + leastMs)
    period.latestMs = Math.max(period.latestMs, toMs, triedMs)
  }
  return periods
}

function lastOf(periods: readonly Period[]): Period {
  const last = periods.at(-1)
  if (last === undefined) throw new Error('A member has had a connection.')
  return last
}
