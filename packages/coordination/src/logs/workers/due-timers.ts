/** One timer for each log: when its next record is due. */
export interface DueTimers {
  /** Replaces the timer of a log; without a time there is none. */
  set(log: string, dueInMs: number | undefined): void
  /** The timer of a log ends after this time at most. */
  atMost(log: string, dueInMs: number): void
  /** Runs it after a time, in place of the call that is planned. */
  run(ms: number, call: () => void): void
  close(): void
}

interface PlannedCall {
  readonly timer: NodeJS.Timeout
  readonly atMs: number
}

/** Makes the timers. They keep the process alive: it has work to do. */
export function createDueTimers(onDue: (log: string) => void): DueTimers {
  const planned = new Map<string, PlannedCall>()
  let isClosed = false

  const cancel = (name: string): void => {
    clearTimeout(planned.get(name)?.timer)
    planned.delete(name)
  }
  const plan = (name: string, ms: number, call: () => void): void => {
    cancel(name)
    if (isClosed) return
    const due = (): void => {
      planned.delete(name)
      call()
    }
    planned.set(name, { timer: setTimeout(due, ms), atMs: performance.now() + ms })
  }
  return {
    set: (log, dueInMs) => {
      if (dueInMs === undefined) cancel(log)
      else plan(log, dueInMs, () => onDue(log))
    },
    atMost: (log, dueInMs) => {
      const current = planned.get(log)
      if (current === undefined || current.atMs > performance.now() + dueInMs) plan(log, dueInMs, () => onDue(log))
    },
    // No log has this name.
    run: (ms, call) => plan('', ms, call),
    close: () => {
      isClosed = true
      for (const name of [...planned.keys()]) cancel(name)
    },
  }
}
