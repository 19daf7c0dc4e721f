/** Runs something at most once per tick. */
export interface Tick {
  /** Runs it soon: not in this turn of the event loop, and not before a tick after the last run. */
  plan(): void
  cancel(): void
}

/** Makes a tick. It has a timer only while a run is planned. */
export function createTick(tickMs: number, run: () => void): Tick {
  let lastAt = -Infinity
  let timer: NodeJS.Timeout | undefined
  return {
    plan: () => {
      timer ??= setTimeout(
        () => {
          // What is planned during the run is part of it.
          run()
          timer = undefined
          lastAt = performance.now()
        },
        Math.max(0, lastAt + tickMs - performance.now()),
      )
    },
    cancel: () => {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
