import type { LockEnd, LockStore } from './lock-store.ts'

/** Ends of locks and requests, sent until Redis has confirmed them. */
export interface LockEnds {
  /** Ends it. Resolves even without a connection to Redis: the end is then sent later, unless the connection uses the lock again. */
  end(key: string, connection: string, how: LockEnd): Promise<void>
  /** Repeats what has failed for the key. Rejects if it fails again. */
  repeat(key: string): Promise<void>
  /** Nothing of the key is here any more, perhaps. */
  collect(key: string): void
}

/** What ends need. */
export interface LockEndsOptions {
  store: Pick<LockStore, 'end'>
  /** Whether a connection of this instance holds the lock or waits for it. */
  isUsed(key: string): boolean
  isUsedBy(key: string, connection: string): boolean
  /** Runs the task after the earlier requests of the connection for the key. */
  during(key: string, connection: string, task: () => Promise<void>): Promise<void>
  /** Nothing of the key is here or in Redis any more. `isUsedAgain`: unless it is used again. */
  onUnused(key: string, isUsedAgain: () => boolean): void
  /** `repeat` tries again. */
  onFailed(error: unknown, repeat: () => Promise<unknown>): void
}

interface OpenEnd {
  hasFailed: boolean
  run(): Promise<void>
}

/** Makes an empty set of ends. */
export function createLockEnds({ store, isUsed, isUsedBy, during, onUnused, onFailed }: LockEndsOptions): LockEnds {
  /** Ends that Redis has not confirmed, by key. */
  const open = new Map<string, Set<OpenEnd>>()
  /** What Redis still names as this instance's must stay in the list of what it holds. */
  const isNamed = (key: string): boolean => isUsed(key) || open.has(key)
  const collect = (key: string): void => {
    if (!isNamed(key)) onUnused(key, () => isNamed(key))
  }
  return {
    collect,
    end: (key, connection, how) => {
      const mine: OpenEnd = {
        hasFailed: false,
        run: async () => {
          if (!open.get(key)?.has(mine)) return
          if (how[0] === 'cancel' || !isUsedBy(key, connection)) await store.end(key, how)
          const ends = open.get(key)
          ends?.delete(mine)
          if (ends?.size === 0) open.delete(key)
          collect(key)
        },
      }
      open.set(key, (open.get(key) ?? new Set<OpenEnd>()).add(mine))
      return mine.run().catch((error: unknown) => {
        mine.hasFailed = true
        onFailed(error, () => during(key, connection, mine.run))
      })
    },
    repeat: async (key) => {
      for (const { hasFailed, run } of [...(open.get(key) ?? [])]) if (hasFailed) await run()
    },
  }
}
