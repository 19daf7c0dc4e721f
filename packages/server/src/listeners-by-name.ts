import { callSafely } from '@tutti/protocol'

/** Listeners of server code, by the name (a key, a channel or a pattern) that they listen to. */
export class ListenersByName<T> {
  private readonly listeners = new Map<string, Set<(message: T) => void>>()
  private readonly onError: (error: unknown, name: string) => void

  constructor(onError: (error: unknown, name: string) => void) {
    this.onError = onError
  }

  /** Adds a listener. Returns its undo. */
  add(name: string, listener: (message: T) => void): () => void {
    // A function of its own, so that one listener that was added twice is heard twice and undone singly.
    const heard = (message: T): void => listener(message)
    const existing = this.listeners.get(name)
    if (existing === undefined) this.listeners.set(name, new Set([heard]))
    else existing.add(heard)
    return () => {
      const current = this.listeners.get(name)
      if (current?.delete(heard) === true && current.size === 0) this.listeners.delete(name)
    }
  }

  /** Tells whether anybody listens to exactly this name. */
  has(name: string): boolean {
    return this.listeners.has(name)
  }

  /** Calls all listeners of these names; one that throws or rejects stops no other. */
  tell(names: readonly string[], message: T): void {
    for (const name of names) {
      for (const listener of this.listeners.get(name) ?? [])
        callSafely(
          () => listener(message),
          (error) => this.onError(error, name),
        )
    }
  }
}
