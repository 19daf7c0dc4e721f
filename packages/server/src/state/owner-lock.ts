/** Lets tasks of one owner run one after another; tasks of different owners run side by side. */
export interface OwnerLock<Owner extends object> {
  /** Waits for the owner's earlier tasks. The task lasts until the function that is returned is called. */
  acquire(owner: Owner): Promise<() => void>
}

/** Makes a lock. It keeps no owner alive. */
export function createOwnerLock<Owner extends object>(): OwnerLock<Owner> {
  const last = new WeakMap<Owner, Promise<void>>()
  return {
    acquire: async (owner) => {
      const earlier = last.get(owner)
      let release = (): void => {}
      last.set(
        owner,
        new Promise((resolve) => {
          release = resolve
        }),
      )
      await earlier
      return release
    },
  }
}
