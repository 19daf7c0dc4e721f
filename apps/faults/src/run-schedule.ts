import { setTimeout as wait } from 'node:timers/promises'
import { seededRandom } from '@tutti/test-kit'
import { startCluster, type ClusterOptions } from './cluster.ts'
import { healCluster } from './heal-cluster.ts'
import { injectFault } from './inject-fault.ts'
import { judgeRun, type Judgement } from './judge-run.ts'
import type { Load } from './load.ts'
import { planSchedule, type PlannedFault } from './schedule.ts'

const PLACES = 3
const CLIENTS = 12

/** How a schedule is played. */
export interface ScheduleOptions extends ClusterOptions {
  /** Clients that change the shared keys. Default 12. */
  readonly clients?: number | undefined
}

/** The result of one schedule. */
export interface ScheduleResult extends Judgement {
  readonly seed: number
  readonly faults: readonly PlannedFault[]
  /** Failovers and moved slots that took effect. */
  readonly reconfigurations: number
}

/** Plays the schedule of a seed on a new cluster, and checks the histories of all clients. */
export async function runSchedule(load: Load, seed: number, seconds: number, options: ScheduleOptions = {}): Promise<ScheduleResult> {
  const { clients = CLIENTS } = options
  const faults = planSchedule(seededRandom(seed), seconds, PLACES, options.topology)
  const cluster = await startCluster(PLACES, options)
  try {
    const urls = cluster.places.map(({ front }) => `http://127.0.0.1:${front.port}`)
    await load.open(Array.from({ length: clients }, (_, n) => ({ name: `c${n}`, seed: seed * 1_000 + n, urls, first: n, workers: 3 })))
    await load.start()
    await Promise.all([wait(seconds * 1_000), ...faults.map((fault) => wait(fault.atMs).then(() => injectFault(cluster, fault)))])
    await healCluster(cluster)
    return { seed, faults, reconfigurations: cluster.redis.reconfigurations, ...(await judgeRun(load, cluster, options.bug)) }
  } finally {
    await load.close()
    await cluster.close()
  }
}
