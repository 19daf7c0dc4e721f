/**
 * Lets the cells of a round work one at a time: the machine is slower in one second than in another, and figures of different
 * columns can be compared where they are measured in turns.
 */
export interface Turns {
  /** Waits until no other cell works, and all that waited before have had their turn. */
  begin(): Promise<void>
  end(): void
}

/** The turns of one round. */
export function createTurns(): Turns {
  const waiting: (() => void)[] = []
  let isTaken = false
  return {
    begin: () =>
      new Promise((resolve) => {
        if (isTaken) return void waiting.push(resolve)
        isTaken = true
        resolve()
      }),
    end: () => {
      const next = waiting.shift()
      if (next === undefined) isTaken = false
      else next()
    },
  }
}
