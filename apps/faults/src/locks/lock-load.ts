import { startProcess } from '../start-process.ts'
import type { LockClientPlan } from './lock-client.ts'
import { joinedHistories, type LockHistory } from './lock-history.ts'
import type { Binding } from './lock-differences.ts'
import type { JoinedRoom, RoomOutcome } from './probe-rooms.ts'

const SCRIPT = new URL('./lock-load-instance.ts', import.meta.url)

/** The clients of a run, in several processes. */
export interface LockLoad {
  open(plans: readonly LockClientPlan[]): Promise<void>
  work(): Promise<void>
  /** Settles when all loops have ended. */
  rest(): Promise<void>
  /** A share of the clients of the place that have a lock never connects again. Returns how many. */
  stopReconnecting(place: number, share: number, seed: number): Promise<number>
  closeStopped(): Promise<void>
  count(): Promise<number>
  /** The place of each connected client. */
  places(): Promise<number[]>
  bindings(): Promise<Binding[]>
  takeHistory(): Promise<LockHistory>
  /** A client joins a room; null if it cannot. */
  join(room: string, seed: number): Promise<JoinedRoom | null>
  outcome(room: string): Promise<RoomOutcome>
  leave(room: string): Promise<void>
  end(): Promise<void>
}

/** Starts the processes. */
export async function startLockLoad(processes: number): Promise<LockLoad> {
  const children = await Promise.all(Array.from({ length: processes }, () => startProcess(SCRIPT, undefined)))
  const all = async <Part>(name: string, ...args: unknown[]): Promise<Part[]> => {
    const parts = await Promise.all(children.map((child) => child.call(name, ...args)))
    return parts.flat() as Part[]
  }
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
  /** The process of a room. */
  const childOf = (room: string) => {
    const child = children[Number(/\d+$/.exec(room)?.[0] ?? 0) % children.length]
    if (child === undefined) throw new Error('There are no processes.')
    return child
  }
  return {
    open: async (plans) => {
      const partOf = (part: number) => plans.filter((_, index) => index % children.length === part)
      await Promise.all(children.map((child, part) => child.call('open', partOf(part))))
    },
    work: async () => void (await all('work')),
    rest: async () => void (await all('rest')),
    stopReconnecting: async (place, share, seed) => sum(await all<number>('stopReconnecting', place, share, seed)),
    closeStopped: async () => void (await all('closeStopped')),
    count: async () => sum(await all<number>('count')),
    places: () => all<number>('places'),
    bindings: () => all<Binding>('bindings'),
    takeHistory: async () => joinedHistories(await all<LockHistory>('takeHistory')),
    join: async (room, seed) => (await childOf(room).call('join', room, seed)) as JoinedRoom | null,
    outcome: async (room) => (await childOf(room).call('outcome', room)) as RoomOutcome,
    leave: async (room) => void (await childOf(room).call('leave', room)),
    end: async () => {
      await all('close')
      await Promise.all(children.map((child) => child.kill()))
    },
  }
}
