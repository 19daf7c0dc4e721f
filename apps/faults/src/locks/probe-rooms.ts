import { setTimeout as wait } from 'node:timers/promises'
import { eventually, type SeededRandom } from '@tutti/test-kit'
import type { Cluster } from '../cluster.ts'
import type { LockViolation } from './check-locks.ts'
import type { LockLoad } from './lock-load.ts'

/** Where a client that joined a room is connected. */
export interface JoinedRoom {
  readonly instance: string
  readonly place: number
}

/** What the client of a room received. */
export interface RoomOutcome {
  receivedMs: number | null
  /** Its connection was lost since it joined. */
  wasDown: boolean
}

/** The result of broadcasts. */
export interface RoomProbes {
  readonly violations: readonly LockViolation[]
  /** Joins whose broadcast was sent from another instance. */
  readonly probes: number
  readonly received: number
  /** Broadcasts without a message, because the instance of the member was missing or its connection was lost. */
  readonly excused: number
}

/** What probes need. */
export interface ProbeRoomsOptions {
  readonly cluster: Cluster
  readonly load: LockLoad
  readonly random: SeededRandom
  /** The limit of each call, milliseconds. */
  readonly timeoutMs: number
  readonly slackMs: number
  /** By how much faults between these times delay a message to a client. */
  allowance(fromMs: number, toMs: number): number
  isOver(): boolean
}

const ARRIVAL_MS = 1_000
const IN_FLIGHT = 4
let names = 0

/** Clients join rooms, and another instance sends to each of them (R1), until it is over. */
export async function probeRooms(options: ProbeRoomsOptions): Promise<RoomProbes> {
  const violations: LockViolation[] = []
  const counts = { probes: 0, received: 0, excused: 0 }
  const repeat = async (): Promise<void> => {
    while (!options.isOver()) {
      const outcome = await probe(options)
      if (outcome === undefined) continue
      counts.probes += 1
      if ('message' in outcome) violations.push(outcome)
      else counts[outcome.result] += 1
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, repeat))
  return { violations, ...counts }
}

async function probe(options: ProbeRoomsOptions): Promise<LockViolation | { result: 'received' | 'excused' } | undefined> {
  const { cluster, load, random, timeoutMs, slackMs, allowance } = options
  const name = `probe-${(names += 1)}`
  const joined = await load.join(name, random.below(1_000_000))
  const others = cluster.places.filter(({ instance }, place) => instance !== undefined && place !== joined?.place)
  const sender = others.length > 0 ? random.pick(others).instance : undefined
  if (joined === null || sender === undefined) {
    await wait(50)
    return undefined
  }
  const sentMs = Date.now()
  try {
    const reply = await Promise.race([
      sender.call('broadcast', name, 'probe', sentMs, timeoutMs),
      wait(timeoutMs * 3, undefined, { ref: false }),
    ])
    const { receivedMs, wasDown } = await eventually(
      async () => {
        const outcome = await load.outcome(name)
        if (outcome.receivedMs === null && !outcome.wasDown && !isMissing(reply, joined.instance)) throw new Error('Nothing has arrived.')
        return outcome
      },
      { timeoutMs: ARRIVAL_MS + slackMs + allowance(sentMs, Infinity), everyMs: 20 },
    ).catch(() => load.outcome(name))
    if (receivedMs === null) {
      if (wasDown || isMissing(reply, joined.instance)) return { result: 'excused' }
      return { rule: 'room', message: `${name} at place ${joined.place} received nothing, and its instance was not missing` }
    }
    const lateMs = receivedMs - sentMs - timeoutMs
    if (lateMs > ARRIVAL_MS + slackMs + allowance(sentMs, receivedMs))
      return { rule: 'room', message: `${name} received a message ${lateMs} ms after the limit of its call` }
    return { result: 'received' }
  } catch {
    // The sender was killed, or has no Redis.
    return undefined
  } finally {
    await load.leave(name)
  }
}

/** Without a reply, any instance counts as missing. */
const isMissing = (reply: unknown, instance: string): boolean =>
  typeof reply !== 'object' || reply === null || !('missing' in reply) || !Array.isArray(reply.missing) || reply.missing.includes(instance)
