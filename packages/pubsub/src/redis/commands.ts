import type { BreakerState } from './link-contract.ts'
import type { EndOfTurn } from './end-of-turn.ts'
import type { SendCommand } from './script.ts'

/** The connections for commands: the one `pub` connection, or on a Cluster one to each master. */
export interface Commands {
  /** Whether all connections are ready and have reported it, according to their last events. */
  readonly isUp: boolean
  readonly breaker: BreakerState
  /** Sends if the breaker allows it. Fails like `RedisScript.run`, except with `CLOSED`. */
  readonly send: SendCommand
  /** Registers a script. If Redis refuses SCRIPT LOAD, a run receives NOSCRIPT and sends the whole script. */
  loadScript(source: string): void
  /** Requests the time of each server; the reply is also the breaker's probe. Never rejects. */
  probe(): Promise<void>
  /** Replaces all connections. Commands in flight reject with `OUTCOME_UNKNOWN`. */
  drop(): void
  /** Each server separately. */
  masters(): readonly { readonly send: SendCommand }[]
  close(): Promise<void>
}

/** Callbacks and shared options. */
export interface CommandsOptions {
  /** All registered scripts, which are loaded on each new connection. */
  sources: ReadonlySet<string>
  /** Each connection sends a PING after this many milliseconds without a command. */
  keepAliveMs: number
  endOfTurn: EndOfTurn
  breakerFailures: number
  breakerProbeMs: number
  /** All connections are ready. `again`: they were ready before, so messages may have been missed (N6). */
  onReady: (again: boolean) => void
  /** A connection was lost, or could not be established. */
  onLost: (cause: unknown) => void
  onBreaker: (state: BreakerState) => void
  /** A server reported its time, milliseconds. */
  onTime: (redisMs: number) => void
  /** A server refused a command that should not fail. */
  onError: (error: unknown) => void
}
