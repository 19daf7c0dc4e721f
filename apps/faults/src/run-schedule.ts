import { setTimeout as wait } from 'node:timers/promises'
import { seededRandom } from '@tutti/test-kit'
import { startCluster, type Cluster } from './cluster.ts'
import { injectFault } from './inject-fault.ts'
import { judgeRun, type Judgement } from './judge-run.ts'
import type { Load } from './load.ts'
import type { PlantedBug } from './planted-bug.ts'
import { planSchedule, type PlannedFault } from './schedule.ts'

const PLACES = 3
const CLIENTS = 12

/** What one schedule showed. */
export interface ScheduleResult extends Judgement {
  readonly seed: number
  readonly faults: readonly PlannedFault[]
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
    return { seed, faults, ...(await judgeRun(load, cluster)) }
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
