import { setTimeout as wait } from 'node:timers/promises'
import { eventually } from '@tutti/test-kit'
import { PLACES } from '../cluster-run.ts'
import { healCluster } from '../heal-cluster.ts'
import { injectFault } from '../inject-fault.ts'
import { remaining } from '../remaining.ts'
import { planSchedule, type PlannedFault } from '../schedule.ts'
import { checkLocks, type LockCheck, type LockViolation } from './check-locks.ts'
import { livingLeases, lockDifferences, storedLocks } from './lock-differences.ts'
import { startLockRun, type LockRun, type LockRunOptions } from './lock-run.ts'
import { probeRooms, type RoomProbes } from './probe-rooms.ts'

/** Heartbeats are late by a few milliseconds, and so is the notice of a lost connection. */
const LATE_BEAT_MS = 200
/** L3: a lock ends, and its holder is notified, within this time. */
const NOTICE_MS = 1_000
const FAULTS_SECONDS = 4
const AWAY_MS = 12_000
const BROADCAST_TIMEOUT_MS = 1_000
/** How long clients may take after the end of all faults until every request has an outcome. */
const SETTLE_MS = 30_000

/** The result of one round. */
export interface LockRoundResult extends LockCheck {
  readonly faults: number
  readonly rooms: RoomProbes
  /** From the end of the faults until every request had an outcome and every lock was known by its holder. */
  readonly settledMs: number
}

/** How rounds are made. */
export interface LockRoundsOptions extends LockRunOptions {
  readonly rounds: number
  /** How long Redis is away in one of the rounds, milliseconds. Default 12 s. */
  readonly awayMs?: number | undefined
  /** Default 30 s. */
  readonly settleMs?: number | undefined
  /** Without any fault, clients work for so long, milliseconds. */
  readonly calmMs?: number | undefined
}

/**
 * Clients use locks in rounds, in each of which an instance is killed. Every second round has other faults too, and in one Redis is away.
 * Times are in proportion to the lease. Stops after a round with violations.
 */
export async function runLockRounds(
  options: LockRoundsOptions,
  onRound: (result: LockRoundResult) => void = () => {},
): Promise<LockRoundResult[]> {
  const { rounds, topology, awayMs = AWAY_MS } = options
  const run = await startLockRun(options)
  const results: LockRoundResult[] = []
  try {
    for (let round = 1; round <= rounds; round += 1) {
      const faults = round % 2 === 1 ? planSchedule(run.random, FAULTS_SECONDS, PLACES, topology) : []
      const isAway = awayMs > 0 && round === Math.ceil((rounds + 1) / 2)
      const away: PlannedFault = { name: 'kill-redis', atMs: 500, forMs: awayMs, place: 0, link: 'back' }
      const result = await runRound(run, isAway ? [...faults, away] : faults, options)
      results.push(result)
      onRound(result)
      if (result.violations.length > 0) break
    }
    return results
  } finally {
    await run.close()
  }
}

async function runRound(run: LockRun, planned: readonly PlannedFault[], options: LockRoundsOptions): Promise<LockRoundResult> {
  const { times, slackMs, settleMs = SETTLE_MS, calmMs } = options
  const { cluster, load, random, scale } = run
  const faults = planned.map((fault) => ({ ...fault, atMs: fault.atMs * scale, forMs: fault.forMs * scale }))
  const endMs = Math.max(times.leaseMs, times.graceMs) + NOTICE_MS + slackMs
  const windows: { readonly fromMs: number; toMs: number }[] = []
  const inject = async (fault: PlannedFault): Promise<void> => {
    await wait(fault.atMs)
    const window = { fromMs: Date.now(), toMs: Infinity }
    windows.push(window)
    await injectFault(cluster, fault)
    window.toMs = Date.now()
  }
  /** Faults delay all by their time, and by that of a lease until the instances have renewed theirs. */
  const allowance = (fromMs: number, toMs: number): number => {
    const now = Date.now()
    const during = windows.filter((window) => window.fromMs <= toMs && window.toMs + times.leaseMs >= fromMs)
    const sum = during.reduce((total, window) => total + Math.min(window.toMs, now) - window.fromMs, 0)
    return during.length === 0 ? 0 : sum + 2 * times.leaseMs
  }

  await run.fill()
  const leases = await livingLeases(cluster.redis.nodes)
  const instances = cluster.places.map(({ instance }) => instance)
  await load.work()
  let isOver = false
  const probing = probeRooms({ ...{ cluster, load, random, slackMs, allowance }, timeoutMs: BROADCAST_TIMEOUT_MS, isOver: () => isOver })
  if (calmMs === undefined) {
    // Until the clients have their first locks.
    await wait(600 * scale)
    // A place with clients: they stay where they are until they lose their connection.
    const victim = random.pick(await connectedPlaces(load))
    await load.stopReconnecting(victim, 0.5, random.below(1_000_000))
    const killed = injectFault(cluster, { name: 'kill-instance', atMs: 0, forMs: 0, place: victim, link: 'back' })
    await Promise.all([killed, wait(endMs - slackMs + 1_500 * scale), ...faults.map(inject)])
    await healCluster(cluster)
  } else await wait(calmMs)
  const healedMs = performance.now()
  isOver = true
  const violations: LockViolation[] = []
  const rooms = await probing
  violations.push(...rooms.violations)
  const isAtRest = await Promise.race([load.rest().then(() => true), wait(settleMs + slackMs, false, { ref: false })])
  if (!isAtRest) violations.push({ rule: 'unsettled', message: `Not all requests have an outcome ${settleMs} ms after the faults.` })
  const living = new Set(await livingLeases(cluster.redis.nodes))
  const kept = leases.filter((lease) => living.has(lease)).length
  const unchanged = cluster.places.filter(({ instance }, place) => instance === instances[place]).length
  await load.closeStopped()
  const check = checkLocks(await load.takeHistory(), {
    ...{ endMs, noticeMs: NOTICE_MS + slackMs, isOrdered: kept >= unchanged, allowance },
    keptMs: times.graceMs - times.heartbeatMs - LATE_BEAT_MS - slackMs,
  })
  // Violations may leave something too.
  if (check.violations.length === 0) {
    const differences = await remaining(async () => lockDifferences(await storedLocks(cluster.redis.nodes), await load.bindings()), {
      timeoutMs: endMs + (isAtRest ? settleMs : 0),
      everyMs: 50,
    })
    violations.push(...differences.map((message): LockViolation => ({ rule: 'views', message })))
  }
  const settledMs = Math.round(performance.now() - healedMs)
  return { ...check, violations: [...check.violations, ...violations], faults: faults.length + 1, rooms, settledMs }
}

/** The places of the clients that are connected. On a busy machine that takes the first one longer than a round plans for it. */
const connectedPlaces = (load: LockRun['load']): Promise<number[]> =>
  eventually(async () => {
    const places = await load.places()
    if (places.length === 0) throw new Error('No client is connected.')
    return places
  })
