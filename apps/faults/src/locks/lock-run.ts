import { DEFAULT_TIMES, PLACES, startClusterRun, type ClusterRun, type ClusterRunOptions } from '../cluster-run.ts'
import type { LockBug } from '../planted-bug.ts'
import { startLockLoad, type LockLoad } from './lock-load.ts'

/** Clients of a process, while there are fewer than two. */
const CLIENTS_PER_PROCESS = 30
/** Clients for each key. */
const CLIENTS_PER_KEY = 3

/** How a run is made. */
export interface LockRunOptions extends ClusterRunOptions<LockBug> {
  /** Connected clients. */
  readonly clients: number
}

/** A cluster with its clients. */
export interface LockRun extends ClusterRun<LockLoad> {
  /** Times in proportion to the default lease. */
  readonly scale: number
  /** Opens clients until there are as many as there should be. */
  fill(): Promise<void>
}

/** Starts instances and clients. */
export async function startLockRun({ clients, ...options }: LockRunOptions): Promise<LockRun> {
  const scale = options.times.leaseMs / DEFAULT_TIMES.leaseMs
  const keys = Array.from({ length: Math.ceil(clients / CLIENTS_PER_KEY) }, (_, number) => `lock:${number}`)
  const { nextClients, ...run } = await startClusterRun(options, {
    redis: { movedKeys: keys.map((key) => `tutti:${key}`) },
    startLoad: () => startLockLoad(Math.min(2, Math.ceil(clients / CLIENTS_PER_PROCESS))),
  })
  return {
    ...run,
    scale,
    fill: async () => {
      const missing = clients - (await run.load.count())
      await run.load.open(nextClients(missing, (client, number) => ({ ...client, keys, first: number % PLACES, scale })))
    },
  }
}
