import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'
import type { Connection } from './connection-contract.ts'

/** Clients that are connected must not wait long for a store that serves again (F4). */
const LONGEST_RETRY_MS = 2_000

/** A request that is sent again, later each time. */
export interface Retry {
  /** True while a try is planned. */
  readonly waiting: boolean
  /** Plans the next attempt and replaces a planned one; after `delayMs` if the server requested a delay. */
  plan(run: () => void, delayMs?: number): void
  /** Forgets the planned try and the number of failures. */
  reset(): void
}

/** Dependencies of a retry. */
export interface RetryContext {
  clock: Clock
  random: () => number
  connection: Pick<Connection, 'current'>
}

/** Tries again by `backoffMs`, every 2 s at least: for requests over a connection that works. */
export function createRetry({ clock, random, connection }: RetryContext): Retry {
  let failures = 0
  let cancel: (() => void) | undefined
  const retry = {
    waiting: false,
    plan: (run: () => void, delayMs = backoffMs(failures++, random, LONGEST_RETRY_MS)) => {
      cancel?.()
      retry.waiting = true
      cancel = clock.after(delayMs, () => {
        retry.waiting = false
        // A degraded server reports when it is well again (F4); requests meanwhile would only be refused.
        if (connection.current.degraded) retry.plan(run)
        else run()
      })
    },
    reset: () => {
      cancel?.()
      retry.waiting = false
      failures = 0
    },
  }
  return retry
}
