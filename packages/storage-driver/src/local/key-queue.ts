/** One task at a time for each key, in the order asked for. */
export interface KeyQueue {
  run<Result>(key: string, task: () => Promise<Result>): Promise<Result>
}

/** Makes an empty queue; it keeps nothing of a key whose tasks have ended. */
export function createKeyQueue(): KeyQueue {
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
