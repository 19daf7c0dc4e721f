/** Lets tasks of one owner run one after another; tasks of different owners run side by side. */
export interface KeyedMutex<Owner extends object> {
  /** Waits for the owner's earlier tasks. The task lasts until the function that is returned is called. */
  acquire(owner: Owner): Promise<() => void>
}

/** Makes a mutex. It keeps no owner alive. */
export function createKeyedMutex<Owner extends object>(): KeyedMutex<Owner> {
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
