import { DEFAULT_TIMES, PLACES, startClusterRun, type ClusterRun, type ClusterRunOptions } from '../cluster-run.ts'
import type { PresenceBug } from '../planted-bug.ts'
import { remaining } from '../remaining.ts'
import type { PresenceViolation } from './check-presence.ts'
import { differencesOf } from './check-views.ts'
import { startPresenceLoad, type PresenceLoad } from './presence-load.ts'

const ROOMS = 10
/** How long clients may take until all are members and shown, beyond the bound of a rule, milliseconds. */
const SETTLE_MS = 30_000

/** How a run is made. */
export interface PresenceRunOptions extends ClusterRunOptions<PresenceBug> {
  /** Connected clients, each a member and an observer of one of ten rooms. */
  readonly members: number
  /** Whether Redis restarts without its data, or is reconfigured, in some rounds. Default true. */
  readonly changesRedis?: boolean | undefined
  /** How long to wait for views that are equal, beyond the bound of a rule. Default 30 s. */
  readonly settleMs?: number | undefined
}

/** A cluster with its members. */
export interface PresenceRun extends ClusterRun<PresenceLoad> {
  /** Opens clients until there are as many as there should be, and waits until they are shown. */
  fill(): Promise<PresenceViolation[]>
  /** Waits until every client is a member, and every observer shows exactly the living connections. */
  settle(): Promise<PresenceViolation[]>
}

/** Starts instances and clients. */
export async function startPresenceRun(options: PresenceRunOptions): Promise<PresenceRun> {
  const { members, topology, times, slackMs, settleMs = SETTLE_MS } = options
  const { nextClients, ...run } = await startClusterRun(options, {
    redis: {
      isDurable: topology !== undefined && topology !== 'standalone',
      movedKeys: Array.from({ length: ROOMS }, (_, number) => `{tutti$room:room-${number}}$members`),
    },
    startLoad: () => startPresenceLoad(Math.min(2, Math.ceil(members / 100))),
  })
  const { load, random } = run

  const settle = async (withinMs = settleMs): Promise<PresenceViolation[]> => {
    const differences = await remaining(async () => differencesOf(await load.views()), {
      timeoutMs: times.graceMs + slackMs + withinMs,
      everyMs: 100,
    })
    return differences.map((message) => ({ rule: 'views', message }))
  }
  return {
    ...run,
    settle: () => settle(),
    fill: async () => {
      const present = (await load.views()).length
      const plans = nextClients(members - present, (client, number) => ({
        ...{ ...client, room: `room-${number % ROOMS}`, first: random.below(PLACES) },
        backoffScale: Math.min(1, times.graceMs / DEFAULT_TIMES.graceMs),
      }))
      await load.open(plans)
      // No fault is active: a shorter time of the run is meant for its rounds.
      return settle(SETTLE_MS)
    },
  }
}
