import type { RedisLink } from '@tutti/pubsub/redis'
import type { CoordinationSettings } from '../coordination-options.ts'
import { isAway } from './redis-failure.ts'
import type { RedisLayout } from './redis-layout.ts'
import type { Removal } from './room-store.ts'
import { textsOf } from './script-reply.ts'

/** Rooms that are swept at the same time. */
const CONCURRENCY = 64

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
  onEmpty: (room: string) => void
  onError: CoordinationSettings['onError']
}

/** Makes a sweeper. */
export function createLeaseSweeper({ link, layout, sweepRoom, onEmpty, onError }: LeaseSweeperOptions): LeaseSweeper {
  const running = new Map<string, Promise<void>>()

  const roomsOf = async (lease: string): Promise<string[]> =>
    textsOf(await link.command('SMEMBERS', layout.holds(lease))).flatMap((name) => (name.startsWith('room ') ? [name.slice(5)] : []))

  const ofEach = async (rooms: readonly string[], work: (room: string) => Promise<void>): Promise<void> => {
    for (let start = 0; start < rooms.length; start += CONCURRENCY) {
      await Promise.all(rooms.slice(start, start + CONCURRENCY).map(work))
    }
  }

  const sweepLease = async (lease: string): Promise<void> => {
    await ofEach(await roomsOf(lease), async (room) => {
      const { removed, remaining } = await sweepRoom(room, lease)
      if (removed > 0 && remaining === 0) onEmpty(room)
    })
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
        await ofEach(await roomsOf(lease), async (room) => {
          await Promise.all(layout.room(room).map((key) => link.command('PEXPIRE', key, ms)))
        })
        await link.command('PEXPIRE', layout.holds(lease), ms)
      }
    },
    idle: async () => void (await Promise.all(running.values())),
  }
}
