import type { LockEnd, LockStore } from './lock-store.ts'

/** Ends of locks and requests, sent until Redis has confirmed them. */
export interface LockEnds {
  /** Ends it. Resolves even without a connection to Redis: the end is then sent later, unless the connection uses the lock again. */
  end(key: string, connection: string, how: LockEnd): Promise<void>
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

/** Makes an empty set of ends. */
export function createLockEnds({ store, isUsed, isUsedBy, during, onUnused, onFailed }: LockEndsOptions): LockEnds {
  /** Ends that Redis has not confirmed, by key. */
  const open = new Map<string, number>()
  const count = (key: string, more: 1 | -1): void => {
    const ends = (open.get(key) ?? 0) + more
    if (ends === 0) open.delete(key)
    else open.set(key, ends)
  }
  /** What Redis still names as this instance's must stay in the list of what it holds. */
  const isNamed = (key: string): boolean => isUsed(key) || open.has(key)
  const collect = (key: string): void => {
    if (!isNamed(key)) onUnused(key, () => isNamed(key))
  }
  return {
    collect,
    end: (key, connection, how) => {
      count(key, 1)
      const run = async (): Promise<void> => {
        if (how[0] === 'cancel' || !isUsedBy(key, connection)) await store.end(key, how)
        count(key, -1)
        collect(key)
      }
      return run().catch((error: unknown) => onFailed(error, () => during(key, connection, run)))
    },
  }
}
