import type { RedisLink } from '@tutti/pubsub/redis'
import type { CoordinationSettings } from '../coordination-options.ts'
import { isAway } from './redis-failure.ts'
import type { RedisLayout } from './redis-layout.ts'
import type { Removal } from './room-store.ts'
import { textsOf } from './script-reply.ts'

/** Rooms or locks that are swept at the same time. */
const CONCURRENCY = 64

/** Work that no instance continues is listed for so long, milliseconds: 24 days. */
const WORK_MS = 2_073_600_000

/** Removes what dead instances left behind. */
export interface LeaseSweeper {
  /** Sweeps these leases. What is interrupted is continued by the next claim. */
  sweep(leases: readonly string[]): void
  /** No instance is left: gives all that the leases hold a time to live. */
  expire(leases: readonly string[], ms: number): Promise<void>
  /** Settles when no sweep runs. */
  idle(): Promise<void>
}

/** What the sweeper needs. */
export interface LeaseSweeperOptions {
  link: RedisLink
  layout: RedisLayout
  sweepRoom: (room: string, lease: string) => Promise<Removal>
  sweepLock: (key: string, lease: string) => Promise<void>
  /** Continues the work of a lease. Resolves to false where this instance cannot. */
  takeWork: (names: readonly string[]) => Promise<boolean>
  onEmpty: (room: string) => void
  onError: CoordinationSettings['onError']
}

/** Makes a sweeper. */
export function createLeaseSweeper({ link, layout, sweepRoom, sweepLock, takeWork, onEmpty, onError }: LeaseSweeperOptions): LeaseSweeper {
  const running = new Map<string, Promise<void>>()

  /** The names of one kind among what the lease holds. */
  const namesOf = (holds: readonly string[], kind: 'room' | 'lock' | 'handover'): string[] =>
    holds.flatMap((name) => (name.startsWith(`${kind} `) ? [name.slice(kind.length + 1)] : []))
  const holdsOf = async (lease: string): Promise<string[]> => textsOf(await link.command('SMEMBERS', layout.holds(lease)))

  const ofEach = async (names: readonly string[], work: (name: string) => Promise<void>): Promise<void> => {
    for (let start = 0; start < names.length; start += CONCURRENCY) {
      await Promise.all(names.slice(start, start + CONCURRENCY).map(work))
    }
  }

  const sweepLease = async (lease: string): Promise<void> => {
    const holds = await holdsOf(lease)
    await ofEach(namesOf(holds, 'lock'), (key) => sweepLock(key, lease))
    await ofEach(namesOf(holds, 'room'), async (room) => {
      const { removed, remaining } = await sweepRoom(room, lease)
      if (removed > 0 && remaining === 0) onEmpty(room)
    })
    if (!(await takeWork(namesOf(holds, 'handover')))) {
      // Another instance sweeps it again, and continues the work.
      await link.command('PEXPIRE', layout.holds(lease), WORK_MS)
      return
    }
    await link.command('UNLINK', layout.holds(lease))
    // Last, so that an interrupted sweep is continued.
    await link.command('ZREM', layout.leases[1], lease)
  }

  return {
    sweep: (leases) => {
      for (const lease of leases) {
        if (running.has(lease)) continue
        const swept = sweepLease(lease)
          .catch((error: unknown) => {
            if (!isAway(error)) onError(error, { stage: 'sweep' })
          })
          .finally(() => running.delete(lease))
        running.set(lease, swept)
      }
    },
    expire: async (leases, ms) => {
      for (const lease of leases) {
        await ofEach(namesOf(await holdsOf(lease), 'room'), async (room) => {
          await Promise.all(layout.room(room).map((key) => link.command('PEXPIRE', key, ms)))
        })
        const hasWork = namesOf(await holdsOf(lease), 'handover').length > 0
        await link.command('PEXPIRE', layout.holds(lease), hasWork ? WORK_MS : ms)
        // The next instance that starts sweeps it.
        if (hasWork) await link.command('PEXPIRE', layout.leases[1], WORK_MS)
      }
    },
    idle: async () => void (await Promise.all(running.values())),
  }
}
