import { RealtimeError } from '@tutti/protocol'
import { isSlotOnTheMove } from './cluster/redirection.ts'
import { isConnectionFailure } from './errors.ts'
import type { BreakerState } from './link-contract.ts'
import type { SendCommand } from './script.ts'

/**
 * Guards Redis (N10): after consecutive failures calls fail fast, and at intervals one call probes whether Redis serves again.
 */
export interface CircuitBreaker {
  readonly state: BreakerState
  /** The number of consecutive failures that opens it. */
  readonly failures: number
  /** Whether a call may be made. While probing, one call may; its outcome decides. */
  tryPass(): boolean
  /** Reports the outcome of a call. */
  succeeded(): void
  failed(): void
  /** The connection is ready again: the next call, the link's own, is the probe. */
  probeNow(): void
  /** Stops the timer for good, even if calls fail later. */
  close(): void
}

/** Creates the breaker, closed. */
export function createCircuitBreaker({ failures, probeEveryMs, onState, after = startTimer }: CircuitBreakerOptions): CircuitBreaker {
  let state: BreakerState = 'closed'
  let failuresInRow = 0
  let probeIsOut = false
  let isClosed = false
  let stopTimer = (): void => {}

  const enter = (next: BreakerState): void => {
    if (isClosed) return
    stopTimer()
    stopTimer = next === 'open' ? after(probeEveryMs, () => enter('probing')) : () => {}
    failuresInRow = 0
    probeIsOut = false
    if (state === next) return
    state = next
    onState(next)
  }

  return {
    get state() {
      return state
    },
    failures,
    tryPass: () => {
      if (state === 'closed') return true
      if (state === 'open' || probeIsOut) return false
      probeIsOut = true
      return true
    },
    succeeded: () => {
      failuresInRow = 0
      // A call that succeeds while the breaker is open began before it opened, so it proves nothing about the current state.
      if (state === 'probing') enter('closed')
    },
    failed: () => {
      if (state === 'open') return
      failuresInRow += 1
      if (state === 'probing' || failuresInRow >= failures) enter('open')
    },
    probeNow: () => {
      if (state === 'open') enter('probing')
    },
    close: () => {
      isClosed = true
      stopTimer()
    },
  }
}

/** The breaker's two numbers, its observer and its clock. */
export interface CircuitBreakerOptions {
  /** Opens after this number of consecutive failures. */
  failures: number
  /** Between two probes, milliseconds. */
  probeEveryMs: number
  onState: (state: BreakerState) => void
  /** Runs a function after a delay. Returns a function that cancels it. Default: `setTimeout`. */
  after?: (ms: number, run: () => void) => () => void
}

/** Sends commands while the breaker allows it, and reports their outcomes to it (N10). */
export const guardedSend =
  (breaker: CircuitBreaker, send: SendCommand): SendCommand =>
  (name, args, onReply, onError) => {
    if (!breaker.tryPass()) {
      const message = `Circuit breaker open after ${breaker.failures} consecutive Redis failures (breakerFailures). Calls are refused until Redis responds.`
      return onError(new RealtimeError('UNAVAILABLE', { message }))
    }
    send(
      name,
      args,
      (reply) => {
        breaker.succeeded()
        onReply(reply)
      },
      (error) => {
        if (isConnectionFailure(error) && !isSlotOnTheMove(error)) breaker.failed()
        else breaker.succeeded()
        onError(error)
      },
    )
  }

const startTimer = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
