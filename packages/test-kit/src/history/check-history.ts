import { contentText, sameContent } from './apply-effect.ts'
import { checkCounters } from './check-counters.ts'
import { checkEffects } from './check-effects.ts'
import type { History, Violation } from './history.ts'
import { timelines, type KeyTimeline } from './key-timeline.ts'

/** The violations in a history; an empty list for a correct one. */
export function checkHistory(history: History): Violation[] {
  const violations: Violation[] = []
  const keys = timelines(history, (violation) => violations.push(violation))
  for (const key of keys)
    violations.push(...checkKept(key), ...checkForward(key), ...checkEffects(key), ...checkRealTime(key), ...checkConverged(key))
  return [...violations, ...checkCounters(history.operations, history.final)]
}

/** The newest acknowledged version is not newer than the stored one. Its value is checked by the effects. */
function checkKept({ key, final, operations }: KeyTimeline): Violation[] {
  if (final === undefined) return []
  const lost = operations.filter(({ outcome }) => outcome.kind === 'done' && outcome.version > final.version)
  return lost.map(({ id, outcome }) => ({
    rule: 'kept',
    key,
    message: `${id} made version ${outcome.kind === 'done' ? outcome.version : 0}, but the store holds ${final.version}.`,
  }))
}

/** Versions never decrease on any client. */
function checkForward({ key, observations }: KeyTimeline): Violation[] {
  const newest = new Map<string, number>()
  return observations.flatMap(({ client, version }): Violation[] => {
    const before = newest.get(client) ?? 0
    newest.set(client, Math.max(before, version))
    return version < before ? [{ rule: 'forward', key, message: `${client} showed ${before}, then ${version}.` }] : []
  })
}

/** An operation that ended before another began has the older version, and nothing is observed before it began. */
function checkRealTime({ key, steps }: KeyTimeline): Violation[] {
  const violations: Violation[] = []
  let latest = { startMs: -Infinity, id: '' }
  for (const { version, made, seenMs } of steps) {
    for (const { id, endMs = Infinity } of made) {
      if (endMs >= latest.startMs) continue
      violations.push({ rule: 'real-time', key, message: `${id} has the newer version ${version}, but ended before ${latest.id} began.` })
    }
    const starts = made.map(({ startMs }) => startMs)
    if (made.length > 0 && seenMs < Math.min(...starts))
      violations.push({ rule: 'real-time', key, message: `Version ${version} was seen before ${made[0]?.id} began.` })
    for (const { id, startMs } of made) if (startMs > latest.startMs) latest = { startMs, id }
  }
  return violations
}

/** The last content shown by each client is the stored one. */
function checkConverged({ key, observations, final }: KeyTimeline): Violation[] {
  if (final === undefined) return []
  const last = new Map(observations.map((observation) => [observation.client, observation]))
  return [...last.values()]
    .filter(({ version, content }) => version !== final.version || (content !== undefined && !sameContent(content, final.content)))
    .map(({ client, version, content }) => ({
      rule: 'converged',
      key,
      message: `${client} shows version ${version}, ${contentText(content)}; the store holds ${final.version}, ${contentText(final.content)}.`,
    }))
}
