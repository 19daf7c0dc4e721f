/** Monitors the unanswered commands of one connection with a single timer. */
export interface ReplyTimeout {
  /** A command was sent. Returns the function to call when it has its outcome. */
  sent(): () => void
  /** Stops the timer. */
  stop(): void
}

/** Timeout and callback. */
export interface ReplyTimeoutOptions {
  timeoutMs: number
  /** A command has had no outcome for `timeoutMs`. */
  onTimeout: () => void
}

/**
 * Creates the monitor. The timer runs for the oldest command; if that has its outcome in time, the timer continues for the next
 * one. A timer for each command, as in ioredis, costs more than the other steps of a command in this process.
 */
export function createReplyTimeout({ timeoutMs, onTimeout }: ReplyTimeoutOptions): ReplyTimeout {
  const unanswered = new Set<{ readonly sentAt: number }>()
  let timer: NodeJS.Timeout | undefined

  const tick = (): void => {
    timer = undefined
    const [oldest] = unanswered
    if (oldest === undefined) return
    const restMs = oldest.sentAt + timeoutMs - performance.now()
    // Timers may fire a little early.
    if (restMs > 1) timer = setTimeout(tick, restMs)
    else onTimeout()
  }

  return {
    sent: () => {
      const command = { sentAt: performance.now() }
      unanswered.add(command)
      timer ??= setTimeout(tick, timeoutMs)
      return () => void unanswered.delete(command)
    },
    stop: () => {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
