import { callSafely } from '@tutti/protocol'
import type { Source } from './source.ts'

/** A source with its owner's end. */
export interface WritableSource<T> {
  readonly source: Source<T>
  /** Shows another value and tells the listeners at once, in the order they came. The same object again tells nobody. */
  readonly show: (value: T) => void
}

/** Makes a source. What a listener throws or rejects with goes to `onThrow` and stops no other. */
export function createSource<T>(initial: T, onThrow: (error: unknown) => void): WritableSource<T> {
  let current = initial
  const listeners = new Set<{ run: (value: T) => void }>()
  return {
    source: {
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
