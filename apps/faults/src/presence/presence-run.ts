import { seededRandom, type SeededRandom } from '@tutti/test-kit'
import { startCluster, type Cluster } from '../cluster.ts'
import type { PresenceBug } from '../planted-bug.ts'
import type { TopologyName } from '../redis-topology.ts'
import { remaining } from '../remaining.ts'
import type { PresenceViolation } from './check-presence.ts'
import { differencesOf } from './check-views.ts'
import { startPresenceLoad, type PresenceLoad } from './presence-load.ts'

/** Instances. */
export const PLACES = 3
const ROOMS = 10
/** How long clients may take until all are members and shown, beyond the bound of a rule, milliseconds. */
const SETTLE_MS = 30_000
const DEFAULT_GRACE_MS = 4_000

/** How a run is made. */
export interface PresenceRunOptions {
  readonly seed: number
  /** Connected clients, each a member and an observer of one of ten rooms. */
  readonly members: number
  readonly topology?: TopologyName | undefined
  /** Whether Redis restarts without its data, or is reconfigured, in some rounds. Default true. */
  readonly changesRedis?: boolean | undefined
  readonly bug?: PresenceBug | undefined
  /** Lease times of the instances. */
  readonly times: { readonly heartbeatMs: number; readonly leaseMs: number; readonly graceMs: number }
  /** Added to the bounds of times: for machines that are busy with other work. */
  readonly slackMs: number
  /** How long to wait for views that are equal, beyond the bound of a rule. Default 30 s. */
  readonly settleMs?: number | undefined
}

/** The lease times of P3. */
export const DEFAULT_TIMES = { heartbeatMs: 1_000, leaseMs: 4_000, graceMs: DEFAULT_GRACE_MS }

/** A cluster with its members. */
export interface PresenceRun {
  readonly cluster: Cluster
  readonly load: PresenceLoad
  readonly random: SeededRandom
  /** Opens clients until there are as many as there should be, and waits until they are shown. */
  fill(): Promise<PresenceViolation[]>
  /** Waits until every client is a member, and every observer shows exactly the living connections. */
  settle(): Promise<PresenceViolation[]>
  close(): Promise<void>
}

/** Starts instances and clients. */
export async function startPresenceRun(options: PresenceRunOptions): Promise<PresenceRun> {
  const { seed, members, topology, bug, times, slackMs, settleMs = SETTLE_MS } = options
  const random = seededRandom(seed)
  const cluster = await startCluster(PLACES, {
    ...{ topology, bug, env: { LEASE_TIMES: JSON.stringify(times) } },
    redis: {
      isDurable: topology !== undefined && topology !== 'standalone',
      movedKeys: Array.from({ length: ROOMS }, (_, number) => `{tutti$room:room-${number}}$members`),
    },
  })
  const load = await startPresenceLoad(Math.min(2, Math.ceil(members / 100)))
  const urls = cluster.places.map(({ front }) => `http://127.0.0.1:${front.port}`)
  let opened = 0

  const settle = async (): Promise<PresenceViolation[]> => {
    const differences = await remaining(async () => differencesOf(await load.views()), {
      timeoutMs: times.graceMs + slackMs + settleMs,
      everyMs: 100,
    })
    return differences.map((message) => ({ rule: 'views', message }))
  }
  return {
    ...{ cluster, load, random, settle },
    fill: async () => {
      const present = (await load.views()).length
      const plans = Array.from({ length: members - present }, () => {
        const number = opened++
        return {
          ...{ name: `c${number}`, seed: seed * 100_000 + number, room: `room-${number % ROOMS}`, urls, first: random.below(PLACES) },
          backoffScale: Math.min(1, times.graceMs / DEFAULT_GRACE_MS),
        }
      })
      await load.open(plans)
      return settle()
    },
    close: async () => {
      await load.end()
      await cluster.close()
    },
  }
}
