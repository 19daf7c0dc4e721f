/** Runs tasks at the end of a turn of the event loop, so that what was sent during the turn goes together. */
export interface EndOfTurn {
  /** Runs a task at the end of this turn, in order. What a task adds runs in the same pass, after the others. */
  add(task: () => void): void
  /** A command was sent, or has its outcome. */
  sent(): void
  settled(): void
}

/**
 * Makes the queue. While a command is in flight, the end is that of this iteration of the event loop, so that all that has
 * arrived meanwhile goes together. While none is, nothing is gained by waiting: then the end is that of the code that is running.
 */
export function createEndOfTurn(): EndOfTurn {
  let tasks: (() => void)[] = []
  let isRunning = false
  let inFlight = 0

  const run = (): void => {
    isRunning = true
    // Tasks that are added meanwhile lengthen the array.
    for (const task of tasks) task()
    tasks = []
    isRunning = false
  }

  return {
    add: (task) => {
      tasks.push(task)
      if (isRunning || tasks.length > 1) return
      if (inFlight === 0) process.nextTick(run)
      else setImmediate(run)
    },
    sent: () => {
      inFlight += 1
    },
    settled: () => {
      inFlight -= 1
    },
  }
}
