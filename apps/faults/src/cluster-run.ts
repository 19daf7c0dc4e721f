import { seededRandom, type SeededRandom } from '@tutti/test-kit'
import { startCluster, type Cluster } from './cluster.ts'
import type { PlantedBug } from './planted-bug.ts'
import type { TopologyName, TopologyOptions } from './redis-topology.ts'

/** Instances. */
export const PLACES = 3

/** The lease times of P3. */
export const DEFAULT_TIMES = { heartbeatMs: 1_000, leaseMs: 4_000, graceMs: 4_000 } as const

/** How a run is made. */
export interface ClusterRunOptions<Bug extends PlantedBug> {
  readonly seed: number
  readonly topology?: TopologyName | undefined
  readonly bug?: Bug | undefined
  /** Lease times of the instances. */
  readonly times: { readonly heartbeatMs: number; readonly leaseMs: number; readonly graceMs: number }
  /** Added to the bounds of times: for machines that are busy with other work. */
  readonly slackMs: number
}

/** A cluster and the processes of its clients. */
export interface ClusterRun<Load> {
  readonly cluster: Cluster
  readonly load: Load
  readonly random: SeededRandom
  /** Ends clients and instances. */
  close(): Promise<void>
}

/** What differs between kinds of runs. */
export interface ClusterRunParts<Load> {
  readonly redis: TopologyOptions
  readonly startLoad: () => Promise<Load>
}

/** The name and the seed of a client, and the instances in the order of their places. */
export interface ClientPlan {
  readonly name: string
  readonly seed: number
  readonly urls: string[]
}

/** Starts instances and the processes of clients; `nextClients` plans further clients, each with a name of its own. */
export async function startClusterRun<Load extends { end(): Promise<unknown> }, Bug extends PlantedBug>(
  { seed, topology, bug, times }: ClusterRunOptions<Bug>,
  { redis, startLoad }: ClusterRunParts<Load>,
): Promise<ClusterRun<Load> & { nextClients<Plan>(count: number, plan: (client: ClientPlan, number: number) => Plan): Plan[] }> {
  const cluster = await startCluster(PLACES, { topology, bug, env: { LEASE_TIMES: JSON.stringify(times) }, redis })
  const load = await startLoad()
  const urls = cluster.places.map(({ front }) => `http://127.0.0.1:${front.port}`)
  let opened = 0
  return {
    ...{ cluster, load, random: seededRandom(seed) },
    nextClients: (count, plan) =>
      Array.from({ length: count }, () => {
        const number = opened++
        return plan({ name: `c${number}`, seed: seed * 100_000 + number, urls }, number)
      }),
    close: async () => {
      await load.end()
      await cluster.close()
    },
  }
}
