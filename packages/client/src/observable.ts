import { callSafely } from '@tutti/protocol/internal'

/**
 * A value that changes: all that a UI binding needs. `current` is the same object until it changes, so that it can be
 * compared with `===`.
 */
export interface Observable<T> {
  readonly current: T
  /** Calls the listener after each change. Returns an unsubscribe function. */
  subscribe(listener: (current: T) => void): () => void
}

/** An observable with the means of its owner. */
export interface WritableObservable<T> {
  readonly observable: Observable<T>
  /** Shows another value and notifies the listeners at once, in the order of their subscriptions. The same object again notifies none. */
  readonly show: (value: T) => void
}

/** Makes an observable. What a listener throws or rejects with goes to `onThrow` and stops no other. */
export function createObservable<T>(initial: T, onThrow: (error: unknown) => void): WritableObservable<T> {
  const listeners = new Set<{ run: (value: T) => void }>()
  const observable = {
    current: initial,
    subscribe: (run: (value: T) => void) => {
      // An object of its own, so that one function subscribed twice is two subscriptions.
      const listener = { run }
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return {
    observable,
    show: (value) => {
      if (value === observable.current) return
      observable.current = value
      for (const listener of [...listeners]) {
        // A listener that changed the value has already notified the others of the newer one.
        if (observable.current === value && listeners.has(listener)) callSafely(() => listener.run(value), onThrow)
      }
    },
  }
}
