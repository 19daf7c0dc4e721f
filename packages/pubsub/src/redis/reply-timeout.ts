/** Watches over the commands without a reply of one connection, by one timer for all of them. */
export interface ReplyTimeout {
  /** A command was sent. Returns the function to call when it has its outcome. */
  sent(): () => void
  /** Leaves no timer. */
  stop(): void
}

/** What it needs. */
export interface ReplyTimeoutOptions {
  timeoutMs: number
  /** A command was sent so long ago and has no outcome. */
  onTimeout: () => void
}

/**
 * Makes it. The timer runs for the oldest command; where that has its outcome in the meantime, it runs on for the next one. A timer
 * for each command, as ioredis has, costs more than the command's other steps in this process.
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
