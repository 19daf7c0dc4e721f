/** Runs one task at a time for each key, in the order of the calls. */
export interface KeyedMutex {
  run<Result>(key: string, task: () => Promise<Result>): Promise<Result>
}

/** Creates a mutex. It retains nothing for a key without pending tasks. */
export function createKeyedMutex(): KeyedMutex {
  const last = new Map<string, Promise<void>>()
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
  }
}
