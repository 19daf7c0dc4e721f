import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Connection } from './connection-contract.ts'

/** A store that is back must not be kept waiting by those who are connected (F4). */
const LONGEST_RETRY_MS = 2_000

/** Something that is tried again, later each time. */
export interface Retry {
  /** True while a try is planned. */
  readonly waiting: boolean
  /** Plans the next try, in place of one that is planned; after `delayMs` where the server named a time. */
  plan(run: () => void, delayMs?: number): void
  /** Forgets what is planned and how often it failed. */
  reset(): void
}

/** What a retry needs. */
export interface RetryContext {
  clock: Clock
  random: () => number
  connection: Pick<Connection, 'current'>
}

/** Tries again by `backoffMs`, every 2 s at least: for requests over a connection that stands. */
export function createRetry({ clock, random, connection }: RetryContext): Retry {
  let failures = 0
  let cancel: (() => void) | undefined
  const retry: Retry = {
    get waiting() {
      return cancel !== undefined
    },
    plan: (run, delayMs) => {
      cancel?.()
      cancel = clock.after(delayMs ?? backoffMs(failures++, random, LONGEST_RETRY_MS), () => {
        cancel = undefined
        // A server that is degraded says when it no longer is (F4); asking it meanwhile would only cost.
        if (connection.current.degraded) retry.plan(run)
        else run()
      })
    },
    reset: () => {
      cancel?.()
      cancel = undefined
      failures = 0
    },
  }
  return retry
}
