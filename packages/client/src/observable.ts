import { callSafely } from '@tutti/protocol'

/**
 * A value that changes: all that a UI binding needs. `current` is the same object until it changes, so that it can be
 * compared with `===`.
 */
export interface Observable<T> {
  readonly current: T
  /** Calls the listener after each change. Returns its undo. */
  subscribe(listener: (current: T) => void): () => void
}

/** An observable with the means of its owner. */
export interface WritableObservable<T> {
  readonly observable: Observable<T>
  /** Shows another value and tells the listeners at once, in the order they came. The same object again tells nobody. */
  readonly show: (value: T) => void
}

/** Makes an observable. What a listener throws or rejects with goes to `onThrow` and stops no other. */
export function createObservable<T>(initial: T, onThrow: (error: unknown) => void): WritableObservable<T> {
  let current = initial
  const listeners = new Set<{ run: (value: T) => void }>()
  return {
    observable: {
      get current() {
        return current
      },
      subscribe: (run) => {
        // An object of its own, so that one function subscribed twice is two subscriptions.
        const listener = { run }
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
    },
    show: (value) => {
      if (value === current) return
      current = value
      const told = [...listeners]
      for (const listener of told) {
        // A listener that changed the value has already told the others of something newer.
        if (current !== value) return
        if (listeners.has(listener)) callSafely(() => listener.run(value), onThrow)
      }
    },
  }
}
