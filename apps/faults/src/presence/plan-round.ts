import type { SeededRandom } from '@tutti/test-kit'
import type { TopologyName } from '../redis-topology.ts'

/** What happens in one round, with its times in milliseconds. */
export interface RoundPlan {
  /** Places whose instances are killed, and started again. */
  readonly killed: readonly { readonly place: number; readonly atMs: number }[]
  /** Places whose instances stay. */
  readonly living: readonly number[]
  /** The share of the clients of killed instances that never connect again. */
  readonly share: number
  /** Event loops that stall. */
  readonly stalls: readonly { readonly place: number; readonly atMs: number; readonly forMs: number }[]
  /** Redis restarts without its data, in one of five rounds; behind Sentinel and on a Cluster it is reconfigured in each. */
  readonly redis: { readonly atMs: number; readonly forMs: number } | undefined
  /** Connections to living instances that are cut. */
  readonly cuts: number
  /** Clients of living instances that are closed, in each process. */
  readonly closes: number
}

/** The longest stall that may have no effect, with a lease of 4 s. */
const STALL_MS = 1_500
const LEASE_MS = 4_000

/** Plans a round. Times are in proportion to the lease. */
export function planRound(random: SeededRandom, places: number, topology: TopologyName, leaseMs: number): RoundPlan {
  const scale = leaseMs / LEASE_MS
  const order = Array.from({ length: places }, (_, place) => ({ place, rank: random.next() })).sort((a, b) => a.rank - b.rank)
  const all = order.map(({ place }) => place)
  const kills = 1 + random.below(2)
  const killed = all.slice(0, kills).map((place, index) => ({ place, atMs: index === 0 ? 0 : random.below(1_000) * scale }))
  const living = all.slice(kills)
  const stall = (place: number) => ({ place, atMs: random.below(3_000) * scale, forMs: STALL_MS * scale })
  return {
    ...{ killed, living },
    share: 0.2 + random.next() * 0.6,
    stalls: random.below(2) === 0 ? [] : living.map(stall),
    // Behind Sentinel and on a Cluster in each round, otherwise in one of five.
    redis:
      topology === 'standalone' && random.below(5) > 0 ? undefined : { atMs: random.below(2_000) * scale, forMs: 200 + random.below(800) },
    cuts: random.below(10),
    closes: random.below(3),
  }
}
