import { seededRandom, type SeededRandom } from '@tutti/test-kit'
import { startCluster, type Cluster } from '../cluster.ts'
import { DEFAULT_TIMES } from '../presence/presence-run.ts'
import type { LockBug } from '../planted-bug.ts'
import type { TopologyName } from '../redis-topology.ts'
import { startLockLoad, type LockLoad } from './lock-load.ts'

/** Instances. */
export const PLACES = 3
/** Clients of a process, while there are fewer than two. */
const CLIENTS_PER_PROCESS = 30
/** Clients for each key. */
const CLIENTS_PER_KEY = 3

/** How a run is made. */
export interface LockRunOptions {
  readonly seed: number
  /** Connected clients. */
  readonly clients: number
  readonly topology?: TopologyName | undefined
  readonly bug?: LockBug | undefined
  /** Lease times of the instances. */
  readonly times: { readonly heartbeatMs: number; readonly leaseMs: number; readonly graceMs: number }
  /** Added to the bounds of times: for machines that are busy with other work. */
  readonly slackMs: number
}

/** A cluster with its clients. */
export interface LockRun {
  readonly cluster: Cluster
  readonly load: LockLoad
  readonly random: SeededRandom
  /** Times in proportion to the default lease. */
  readonly scale: number
  /** Opens clients until there are as many as there should be. */
  fill(): Promise<void>
  close(): Promise<void>
}

/** Starts instances and clients. */
export async function startLockRun({ seed, clients, topology, bug, times }: LockRunOptions): Promise<LockRun> {
  const random = seededRandom(seed)
  const scale = times.leaseMs / DEFAULT_TIMES.leaseMs
  const keys = Array.from({ length: Math.ceil(clients / CLIENTS_PER_KEY) }, (_, number) => `lock:${number}`)
  const cluster = await startCluster(PLACES, {
    ...{ topology, bug, env: { LEASE_TIMES: JSON.stringify(times) } },
    redis: { movedKeys: keys.map((key) => `tutti:${key}`) },
  })
  const load = await startLockLoad(Math.min(2, Math.ceil(clients / CLIENTS_PER_PROCESS)))
  const urls = cluster.places.map(({ front }) => `http://127.0.0.1:${front.port}`)
  let opened = 0
  return {
    ...{ cluster, load, random, scale },
    fill: async () => {
      const plans = Array.from({ length: clients - (await load.count()) }, () => {
        const number = opened++
        return { name: `c${number}`, seed: seed * 100_000 + number, keys, urls, first: number % PLACES, scale }
      })
      await load.open(plans)
    },
    close: async () => {
      await load.end()
      await cluster.close()
    },
  }
}
