/** Monitors the unanswered commands of one connection with a single timer. */
export interface ReplyTimeout {
  /** A command was sent. Returns the time, for `answered`. */
  sent(): number
  /** A command that was sent at this time has its outcome. */
  answered(sentAt: number): void
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
  /** When each of them was sent, the oldest first. */
  const unanswered: number[] = []
  let timer: NodeJS.Timeout | undefined

  const tick = (): void => {
    timer = undefined
    const [oldest] = unanswered
    if (oldest === undefined) return
    const restMs = oldest + timeoutMs - performance.now()
    // Timers may fire a little early.
    if (restMs > 1) timer = setTimeout(tick, restMs)
    else onTimeout()
  }

  return {
    sent: () => {
      const sentAt = performance.now()
      unanswered.push(sentAt)
      timer ??= setTimeout(tick, timeoutMs)
      return sentAt
    },
    answered: (sentAt) => {
      if (unanswered[0] === sentAt) unanswered.shift()
      else unanswered.splice(unanswered.indexOf(sentAt), 1)
    },
    stop: () => {
      clearTimeout(timer)
      timer = undefined
    },
  }
}
