/**
 * Callbacks that run in the order in which they were added. One that throws or rejects stops no other.
 * @internal
 */
export interface Listeners<Args extends unknown[]> {
  readonly size: number
  /** Adds a listener and returns its unsubscribe function. The same function added twice runs twice. */
  add(listener: (...args: Args) => void): () => void
  /** Runs the listeners that were added before the call and not removed in the meantime. */
  emit(...args: Args): void
  clear(): void
}

/**
 * Creates an empty set. An error of a listener goes to `onError`.
 * @internal
 */
export function createListeners<Args extends unknown[]>(onError: (error: unknown) => void): Listeners<Args> {
  const registered = new Set<{ run: (...args: Args) => unknown }>()
  // A listener may add or remove others. The copy is made again only after such a change, not for each `emit`.
  let copy: readonly { run: (...args: Args) => unknown }[] | undefined
  return {
    get size() {
      return registered.size
    },
    add: (run) => {
      const registration = { run }
      registered.add(registration)
      copy = undefined
      return () => {
        registered.delete(registration)
        copy = undefined
      }
    },
    emit: (...args) => {
      const running = (copy ??= [...registered])
      for (const registration of running) {
        // Without a change during this call, none of them was removed.
        if (copy !== running && !registered.has(registration)) continue
        try {
          const result = registration.run(...args)
          if (typeof result === 'object' && result !== null) void Promise.resolve(result).catch(onError)
        } catch (error) {
          onError(error)
        }
      }
    },
    clear: () => {
      registered.clear()
      copy = undefined
    },
  }
}
