/** Runs tasks at the end of a turn of the event loop, so that commands of one turn are sent together. */
export interface EndOfTurn {
  /** Runs a task at the end of this turn, in order. A task added by a task runs in the same pass, after the others. */
  add(task: () => void): void
  /** A command was sent, or has its outcome. */
  sent(): void
  settled(): void
}

/**
 * Creates the queue. While a command is in flight, the turn ends with this iteration of the event loop, so that everything that
 * arrived in the meantime is sent together. Otherwise waiting has no benefit, and the turn ends with the running code.
 */
export function createEndOfTurn(): EndOfTurn {
  let tasks: (() => void)[] = []
  let isRunning = false
  let inFlight = 0

  const run = (): void => {
    isRunning = true
    // The loop includes tasks that are added while it runs.
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
