import { callSafely } from '@tutti/protocol'

/** A set of listeners, each of which can throw or reject without harm to the others. */
export interface Listeners<Event> {
  readonly size: number
  /** Adds one; returns its undo. The same function can be added twice. */
  add(listener: (event: Event) => void): () => void
  emit(event: Event): void
  clear(): void
}

/** Makes an empty set; `onError` hears what a listener throws. */
export function createListeners<Event>(onError: (error: unknown) => void): Listeners<Event> {
  const listeners = new Set<{ hear: (event: Event) => void }>()
  return {
    get size() {
      return listeners.size
    },
    add: (hear) => {
      const listener = { hear }
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    emit: (event) => {
      for (const { hear } of listeners) callSafely(() => hear(event), onError)
    },
    clear: () => listeners.clear(),
  }
}
