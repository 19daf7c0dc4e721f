import { createDeferred } from '../deferred.ts'

/** Lets the calls of the first moments wait: `new RealtimePubSub(…)` may be followed by `publish` at once. */
export interface InitialConnect {
  /** The outcome is known, or no longer waited for. */
  readonly isOver: boolean
  readonly over: Promise<void>
  end(): void
}

/** Waits until the first attempt to connect has an outcome, at most `timeoutMs`. */
export function createInitialConnect(timeoutMs: number): InitialConnect {
  const over = createDeferred<void>()
  let isOver = false
  const end = (): void => {
    isOver = true
    clearTimeout(timer)
    over.resolve()
  }
  const timer = setTimeout(end, timeoutMs)
  return {
    get isOver() {
      return isOver
    },
    over: over.promise,
    end,
  }
}
