/**
 * Members that a read did not find: after a loss of data their instances must register and write them again, so they are
 * reported as gone only when they are still missing after the time of a lease, and not while records may be missing.
 */
export interface MissingMembers {
  readonly size: number
  /** Whether the member is missing. */
  has(id: string): boolean
  /** The member is missing, perhaps since an earlier read. */
  add(id: string): void
  /** The member is there, or its end was announced. */
  delete(id: string): void
  clear(): void
}

/** The times of the set, and its callback. */
export interface MissingMembersOptions {
  leaseMs: number
  /** How long records may still be missing, milliseconds. */
  settlingMs: () => number
  /** Called for a member that is gone, after it was removed from the set. */
  onGone: (id: string) => void
}

/** Makes an empty set. */
export function createMissingMembers({ leaseMs, settlingMs, onGone }: MissingMembersOptions): MissingMembers {
  const timers = new Map<string, NodeJS.Timeout>()
  const remove = (id: string): void => {
    clearTimeout(timers.get(id))
    timers.delete(id)
  }
  return {
    get size() {
      return timers.size
    },
    has: (id) => timers.has(id),
    add: (id) => {
      if (timers.has(id)) return
      const expire = (): void => {
        const restMs = settlingMs()
        if (restMs > 0) return void timers.set(id, setTimeout(expire, restMs))
        timers.delete(id)
        onGone(id)
      }
      timers.set(id, setTimeout(expire, leaseMs))
    },
    delete: remove,
    clear: () => {
      for (const id of timers.keys()) remove(id)
    },
  }
}
