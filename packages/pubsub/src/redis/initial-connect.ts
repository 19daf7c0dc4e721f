import { createDeferred } from '@tutti/protocol/internal'

/** Delays calls during the first connection attempt, so that `publish` works right after `new RealtimePubSub(…)`. */
export interface InitialConnect {
  /** The outcome is known, or the timeout has elapsed. */
  readonly isOver: boolean
  readonly over: Promise<void>
  end(): void
}

/** Waits until the first connection attempt has an outcome, at most `timeoutMs`. */
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
