/** When connections are tidied after they were opened, milliseconds: not while a crowd of clients reconnects. */
export const TIDY_AFTER_MS = 1_000

/** How many values are processed in one turn of the event loop. */
const AT_ONCE = 50

/** Makes a function that runs another one for each value later: `afterMs` after the first of those that wait, milliseconds. */
export function createDelayed<Value>(run: (value: Value) => void, afterMs: number): (value: Value) => void {
  let waiting: Value[] = []

  const runFrom = (values: readonly Value[], start: number): void => {
    const end = start + AT_ONCE
    for (const value of values.slice(start, end)) run(value)
    if (end < values.length) setImmediate(runFrom, values, end)
  }
  const runAll = (): void => {
    const values = waiting
    waiting = []
    runFrom(values, 0)
  }

  return (value) => {
    if (waiting.length === 0) setTimeout(runAll, afterMs).unref()
    waiting.push(value)
  }
}
