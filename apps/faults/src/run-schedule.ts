import { setTimeout as wait } from 'node:timers/promises'
import { checkCounters, checkHistory, seededRandom, type FinalEntry, type Violation } from '@tutti/test-kit'
import type { Entry } from '@tutti/protocol'
import { startCluster, type Cluster } from './cluster.ts'
import { injectFault } from './inject-fault.ts'
import type { Load } from './load.ts'
import type { PlantedBug } from './planted-bug.ts'
import { planSchedule, type PlannedFault } from './schedule.ts'
import { KEYS } from './workload.ts'

const PLACES = 3
const CLIENTS = 12
const SETTLE_MS = 20_000
const CONVERGE_MS = 5_000

/** What one schedule showed. */
export interface ScheduleResult {
  readonly seed: number
  readonly faults: readonly PlannedFault[]
  /** Mutations that the server acknowledged. */
  readonly acknowledged: number
  readonly refused: number
  /** Mutations whose outcome nobody learnt. */
  readonly unknown: number
  readonly observations: number
  /** From the last change until every client showed what is stored, milliseconds; -1: never. */
  readonly convergedMs: number
  readonly violations: readonly (Violation | { rule: 'settles'; key: string; message: string })[]
}

/** Plays the schedule of a seed on a fresh cluster, with a bug in it if one is named, and checks what all clients did and saw. */
export async function runSchedule(load: Load, seed: number, seconds: number, bug?: PlantedBug): Promise<ScheduleResult> {
  const faults = planSchedule(seededRandom(seed), seconds, PLACES)
  const cluster = await startCluster(PLACES, bug)
  try {
    const urls = cluster.places.map(({ front }) => `http://127.0.0.1:${front.port}`)
    await load.open(Array.from({ length: CLIENTS }, (_, n) => ({ name: `c${n}`, seed: seed * 1_000 + n, urls, first: n, workers: 3 })))
    await load.start()
    await Promise.all([wait(seconds * 1_000), ...faults.map((fault) => wait(fault.atMs).then(() => injectFault(cluster, fault)))])
    await heal(cluster)
    const stuck = await load.settle(SETTLE_MS)
    const final = await readFinal(cluster)
    const convergedMs = await converge(load, final)
    const histories = await load.history()
    const operations = histories.flatMap((history) => history.operations)
    const observations = histories.flatMap((history) => history.observations)
    const calls = histories.flatMap((history) => history.calls)
    const count = (kind: string): number => operations.filter(({ outcome }) => outcome.kind === kind).length
    return {
      ...{ seed, faults, convergedMs, acknowledged: count('done'), refused: count('refused'), unknown: count('unknown') },
      observations: observations.length,
      violations: [
        ...stuck.map((message) => ({ rule: 'settles' as const, key: '', message })),
        ...checkHistory({ operations, observations, final }),
        ...checkCounters(calls, final).map((violation) => ({ ...violation, message: `By the promises: ${violation.message}` })),
      ],
    }
  } finally {
    await load.close()
    await cluster.close()
  }
}

/** Mends whatever faults that came together have left. */
async function heal({ redis, places }: Cluster): Promise<void> {
  redis.resume()
  if (redis.process.exitCode !== null || redis.process.signalCode !== null) await redis.restart()
  for (const place of places) {
    place.instance?.resume()
    place.front.flow()
    place.back.flow()
    if (place.instance === undefined) await place.start()
  }
}

async function readFinal({ places }: Cluster): Promise<FinalEntry[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const entries = (await places[0]?.instance?.call('read', KEYS)) as Entry[]
      return entries.map((entry) => {
        const { key, version } = entry
        return { key, version, content: 'removed' in entry ? { absent: true } : { value: entry.value } }
      })
    } catch (error) {
      if (attempt === 20) throw error
      await wait(200)
    }
  }
}

async function converge(load: Load, final: readonly FinalEntry[]): Promise<number> {
  const start = performance.now()
  for (;;) {
    const clients = await load.shown()
    const passed = Math.round(performance.now() - start)
    if (clients.every((shown) => final.every(({ key, version }) => shown[key] === version))) return passed
    if (passed > CONVERGE_MS) return -1
    await wait(20)
  }
}
