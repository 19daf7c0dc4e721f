import { callSafely } from '@tutti/protocol/internal'

/** Listeners of server code, by the name (a key, a channel or a pattern) that they listen to. */
export interface ListenersByName<Message> {
  readonly isEmpty: boolean
  /** Adds a listener. Returns an unsubscribe function. */
  add(name: string, listener: (message: Message) => void): () => void
  /** Whether exactly this name has a listener. */
  has(name: string): boolean
  /** Calls all listeners of these names; one that throws or rejects stops no other. */
  notify(names: readonly string[], message: Message): void
}

/** Makes the listeners. `onError` receives what they throw. */
export function createListenersByName<Message>(onError: (error: unknown, name: string) => void): ListenersByName<Message> {
  const listeners = new Map<string, Set<(message: Message) => void>>()
  return {
    get isEmpty() {
      return listeners.size === 0
    },
    add: (name, listener) => {
      // A function of its own, so that a listener that was added twice is called twice and removed singly.
      const own = (message: Message): void => listener(message)
      const existing = listeners.get(name)
      if (existing === undefined) listeners.set(name, new Set([own]))
      else existing.add(own)
      return () => {
        const current = listeners.get(name)
        if (current?.delete(own) === true && current.size === 0) listeners.delete(name)
      }
    },
    has: (name) => listeners.has(name),
    notify: (names, message) => {
      if (listeners.size === 0) return
      for (const name of names) {
        for (const listener of listeners.get(name) ?? [])
          callSafely(
            () => listener(message),
            (error) => onError(error, name),
          )
      }
    },
  }
}
