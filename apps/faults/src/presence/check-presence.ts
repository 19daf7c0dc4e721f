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
  /**
   * Redis had lost its data, and with it the members of instances that were dead by then: they may be gone before the end of
   * their grace, and reconnect as other members.
   */
  readonly lostData: boolean
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
  const { graceMs, earlyMs, lateMs, lostData } = bounds
  const violations: PresenceViolation[] = []
  const byId = Map.groupBy(memberships, ({ id }) => id)
  const gone = new Set<string>()
  let longestMs = 0

  for (const { observer, room, id, atMs, isFirstReply } of leaves) {
    const own = byId.get(id)
    // The reply to the only join was lost: no client knows this id.
    if (own === undefined) continue
    const endMs = endOf(own)
    const latestMs = Math.max(endMs ?? 0, ...own.map(({ triedMs = 0 }) => triedMs))
    const where = `${observer} in ${room}${isFirstReply ? ', reconnected' : ''}: ${id}`
    if (endMs === undefined) violations.push({ rule: 'false-leave', message: `${where} left, and its client is connected` })
    else if (atMs < endMs + (lostData || own.at(-1)?.isClosed ? 0 : graceMs - earlyMs))
      violations.push({ rule: 'false-leave', message: `${where} left ${atMs - endMs} ms after its connection` })
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
      else if (!lostData && fromMs < before.toMs + graceMs - earlyMs)
        violations.push({ rule: 'identity', message: `${client} reconnected after ${fromMs - before.toMs} ms as another member` })
    }
  }
  return { violations, returned, gone: gone.size, longestMs }
}

/** The end of the last connection; `undefined` while one is open. */
function endOf(memberships: readonly Membership[]): number | undefined {
  const ends = memberships.map(({ toMs }) => toMs ?? Infinity)
  const last = Math.max(...ends)
  return Number.isFinite(last) ? last : undefined
}
