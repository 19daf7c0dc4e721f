import { callSafely } from '@tutti/protocol'

/** Callbacks that are run in the order they were added; one that throws stops no other (N4). */
export interface Listeners<Args extends unknown[]> {
  /** Adds one and returns its undo; the same function added twice runs twice. */
  add(listener: (...args: Args) => void): () => void
  emit(...args: Args): void
  clear(): void
}

/** Makes a set of callbacks; what one of them throws goes to `onError`. */
export function createListeners<Args extends unknown[]>(onError: (error: unknown) => void): Listeners<Args> {
  const registered = new Set<{ run: (...args: Args) => void }>()
  return {
    add: (listener) => {
      const registration = { run: listener }
      registered.add(registration)
      return () => void registered.delete(registration)
    },
    emit: (...args) => {
      const current = [...registered]
      for (const { run } of current) callSafely(() => run(...args), onError)
    },
    clear: () => registered.clear(),
  }
}
