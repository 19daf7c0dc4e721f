import { createDeferred } from '@tutti/protocol/internal'

/** Lets tasks of one owner run one after another; tasks of different owners run side by side. */
export interface OwnerLock<Owner extends object> {
  /** Waits for the owner's earlier tasks. The task lasts until the function that is returned is called. */
  acquire(owner: Owner): Promise<() => void>
}

/** Makes a lock. It refers to owners with a task alone. */
export function createOwnerLock<Owner extends object>(): OwnerLock<Owner> {
  const last = new Map<Owner, Promise<void>>()
  return {
    acquire: async (owner) => {
      const earlier = last.get(owner)
      const { promise, resolve } = createDeferred<void>()
      last.set(owner, promise)
      await earlier
      return () => {
        if (last.get(owner) === promise) last.delete(owner)
        resolve()
      }
    },
  }
}
