/**
 * Members that a read did not find: after a loss of data their instances must register and write them again, or their clients
 * return by themselves, so they are reported as gone only when they are still missing after that time.
 */
export interface MissingMembers {
  readonly size: number
  /** Whether the member is missing. */
  has(id: string): boolean
  /** The member is missing, perhaps since an earlier read: for so long it may return, milliseconds. */
  add(id: string, returnMs: number): void
  /** The member is there, or its end was announced. */
  delete(id: string): void
  clear(): void
}

/** Makes an empty set. `onGone` is called for a member whose time has passed, after it was removed from the set. */
export function createMissingMembers(onGone: (id: string) => void): MissingMembers {
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
    add: (id, returnMs) => {
      if (timers.has(id)) return
      const gone = (): void => {
        timers.delete(id)
        onGone(id)
      }
      timers.set(id, setTimeout(gone, returnMs))
    },
    delete: remove,
    clear: () => {
      for (const id of timers.keys()) remove(id)
    },
  }
}
