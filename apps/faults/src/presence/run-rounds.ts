import { setTimeout as wait } from 'node:timers/promises'
import { DEFAULT_TIMES, PLACES } from '../cluster-run.ts'
import { injectFault } from '../inject-fault.ts'
import type { PlannedFault } from '../schedule.ts'
import { remaining } from '../remaining.ts'
import { checkPresence, type PresenceCheck } from './check-presence.ts'
import { leftKeys } from './left-keys.ts'
import { planRound, type RoundPlan } from './plan-round.ts'
import { startPresenceRun, type PresenceRun, type PresenceRunOptions } from './presence-run.ts'

/** Heartbeats are late by a few milliseconds, and so is the notice of a lost connection. */
const LATE_BEAT_MS = 200
/** A stall that is no fault of a run, at most, milliseconds: other work of the machine. */
const MACHINE_STALL_MS = 1_500

/** P3: a dead member is gone within `graceMs` and this time, milliseconds. */
const BOUND_MS = 1_000

/** The result of one round. */
export interface RoundResult extends PresenceCheck {
  readonly plan: RoundPlan
  /** Clients that never connected again. */
  readonly dead: number
}

/** Kills instances in rounds, and checks after each what all clients saw. Stops after a round with violations. */
export async function runRounds(
  rounds: number,
  options: PresenceRunOptions,
  onRound: (result: RoundResult) => void = () => {},
): Promise<RoundResult[]> {
  const { topology = 'standalone', times, changesRedis = true } = options
  const run = await startPresenceRun(options)
  const results: RoundResult[] = []
  try {
    const first = await run.fill()
    if (first.length > 0) throw new Error(`The clients do not see each other: ${first[0]?.message}`)
    await run.load.takeHistory()
    for (let round = 1; round <= rounds; round += 1) {
      const planned = planRound(run.random, PLACES, topology, times.leaseMs)
      const plan = changesRedis ? planned : { ...planned, redis: undefined }
      const result = await runRound(run, plan, options)
      const left = round === rounds && result.violations.length === 0 ? await findLeft(run, options) : []
      const violations = [...result.violations, ...left.map((message) => ({ rule: 'keys' as const, message }))]
      results.push({ ...result, violations })
      onRound({ ...result, violations })
      if (violations.length > 0) break
    }
    return results
  } finally {
    await run.close()
  }
}

async function runRound(run: PresenceRun, plan: RoundPlan, { times, slackMs }: PresenceRunOptions): Promise<RoundResult> {
  const { cluster, load, random } = run
  const { killed, living, stalls, redis } = plan
  const places = killed.map(({ place }) => place)
  const dead = await load.stopReconnecting(places, plan.share, random.below(1_000_000))
  await Promise.all([
    ...killed.map(({ place, atMs }) => inject(run, { name: 'kill-instance', place, forMs: 0 }, atMs)),
    load.closeSome(living, plan.closes),
    ...stalls.map(({ place, atMs, forMs }) => inject(run, { name: 'pause-instance', place, forMs }, atMs)),
    ...(redis === undefined ? [] : [changeRedis(run, redis)]),
  ])
  for (let count = 0; count < plan.cuts; count += 1) {
    const place = cluster.places[random.pick(living)]
    const open = place?.front.connections.filter((connection) => connection.open) ?? []
    if (open.length > 0) random.pick(open).cut()
  }
  const differences = await run.settle()
  await load.closeStopped()
  const history = await load.takeHistory()
  const stallMs = Math.max(0, ...stalls.map(({ forMs }) => forMs))
  // Until the instances have renewed their leases in an empty Redis, none ends.
  const redisMs = redis === undefined ? 0 : redis.atMs + redis.forMs + 2 * times.leaseMs
  const check = checkPresence(history, {
    graceMs: times.graceMs,
    earlyMs:
      times.heartbeatMs + LATE_BEAT_MS + Math.max(stallMs, Math.min(slackMs, (MACHINE_STALL_MS * times.leaseMs) / DEFAULT_TIMES.leaseMs)),
    lateMs: Math.max(times.leaseMs, times.graceMs) + BOUND_MS + stallMs + redisMs + slackMs,
  })
  const refilled = differences.length === 0 ? await run.fill() : []
  return { ...check, plan, dead, violations: [...check.violations, ...differences, ...refilled] }
}

/** Keys that remain in Redis after the time of the last sweep. */
const findLeft = ({ cluster, load }: PresenceRun, { times, slackMs }: PresenceRunOptions): Promise<string[]> =>
  remaining(async () => leftKeys(cluster.redis.nodes, PLACES, (await load.views()).length), {
    timeoutMs: 2 * times.leaseMs + times.graceMs + slackMs,
    everyMs: 200,
  })

/** One Redis without a replica: a restart loses its data. */
const isSingle = ({ cluster }: PresenceRun): boolean => cluster.redis.nodes.length === 1

/** Redis restarts without its data. In other topologies the assignment of nodes changes. */
async function changeRedis(run: PresenceRun, { atMs, forMs }: NonNullable<RoundPlan['redis']>): Promise<void> {
  await inject(run, { name: isSingle(run) ? 'kill-redis' : 'reconfigure', place: run.random.below(PLACES), forMs }, atMs)
}

async function inject(run: PresenceRun, fault: Pick<PlannedFault, 'name' | 'place' | 'forMs'>, atMs = 0): Promise<void> {
  await wait(atMs)
  await injectFault(run.cluster, { ...fault, atMs, link: 'back' })
}
