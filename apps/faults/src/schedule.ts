import type { SeededRandom } from '@tutti/test-kit'
import type { TopologyName } from './redis-topology.ts'

/** The faults. */
export const FAULTS = {
  'kill-instance': 'SIGKILL to an instance, and a new one in its place',
  'stop-instance': 'SIGTERM to an instance, and a new one in its place',
  'pause-instance': 'an event loop that stalls (SIGSTOP, SIGCONT)',
  'kill-redis': 'SIGKILL to Redis, and a restart with what it had on disk',
  'pause-redis': 'a Redis that answers nothing (SIGSTOP, SIGCONT)',
  'kill-pubsub': 'CLIENT KILL TYPE pubsub',
  'kill-normal': 'CLIENT KILL TYPE normal',
  cut: 'a link that is reset',
  refuse: 'a link that is reset and can not be made again for a time',
  stall: 'a link on which nothing arrives for a time, and then everything',
  'stall-down': 'a link whose answers come late, while questions arrive',
  'lose-replies': 'a link whose answers are lost, and that is then reset',
  'lose-requests': 'a link whose questions are lost, and that is then reset',
  delay: 'a slow link',
  reconfigure: 'a failover in good order (Sentinel), or a slot that moves to another node (Cluster)',
} as const

/** The name of a fault. */
export type FaultName = keyof typeof FAULTS

/** One fault of a schedule. */
export interface PlannedFault {
  readonly name: FaultName
  /** From the beginning of the load, milliseconds. */
  readonly atMs: number
  /** How long it lasts, milliseconds. */
  readonly forMs: number
  /** The index of the instance, or of its link. */
  readonly place: number
  /** The link to its clients or to Redis. */
  readonly link: 'front' | 'back'
  /** The index of a single connection of the link, modulo their number; absent: the whole link. */
  readonly only?: number
}

/** The longest stall that violates no rule, milliseconds. */
const LONGEST_STALL_MS = 1_500

/** The faults of a topology. A standalone Redis cannot be reconfigured, and its schedules stay those of their seeds. */
const namesOf = (topology: TopologyName): FaultName[] =>
  Object.keys(FAULTS).filter((name): name is FaultName => name in FAULTS && (topology !== 'standalone' || name !== 'reconfigure'))

/** The faults of one schedule, by its seed, in the order of their times. */
export function planSchedule(random: SeededRandom, seconds: number, places: number, topology: TopologyName = 'standalone'): PlannedFault[] {
  const names = namesOf(topology)
  const faults = Array.from({ length: Math.ceil(seconds * 2) }, (): PlannedFault => ({
    name: random.pick(names),
    atMs: Math.round(random.next() * seconds * 900),
    forMs: Math.round(20 + random.next() ** 2 * (LONGEST_STALL_MS - 20)),
    place: random.below(places),
    link: random.pick(['front', 'back', 'back']),
    ...(random.below(2) === 0 ? {} : { only: random.below(12) }),
  }))
  return faults.sort((one, other) => one.atMs - other.atMs)
}
