/**
 * Runs one task at a time for each key, in the order of the calls.
 * @internal
 */
export interface KeyedMutex<Key = string> {
  /** Settles as the task does. A task that fails does not block those after it. */
  run<Result>(key: Key, task: () => Promise<Result>): Promise<Result>
  /** Whether a task of the key runs or waits. */
  has(key: Key): boolean
  /** Settles when the tasks that run or wait now have ended. */
  idle(): Promise<void>
}

/**
 * Creates a mutex. It retains nothing for a key without pending tasks.
 * @internal
 */
export function createKeyedMutex<Key = string>(): KeyedMutex<Key> {
  const last = new Map<Key, Promise<void>>()
  return {
    run: (key, task) => {
      const result = (last.get(key) ?? Promise.resolve()).then(task)
      const ended: Promise<void> = result.then(
        () => forget(),
        () => forget(),
      )
      const forget = (): void => {
        if (last.get(key) === ended) last.delete(key)
      }
      last.set(key, ended)
      return result
    },
    has: (key) => last.has(key),
    idle: async () => void (await Promise.all(last.values())),
  }
}
