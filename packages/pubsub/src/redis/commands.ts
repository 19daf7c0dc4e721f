import type { BreakerState } from './link-contract.ts'
import type { EndOfTurn } from './end-of-turn.ts'
import type { SendCommand } from './script.ts'

/** What commands go over: the one `pub` connection, or on a Cluster one to each master. */
export interface Commands {
  /** Ready, all of it, and has said so, as far as its last events tell. */
  readonly isUp: boolean
  readonly breaker: BreakerState
  /** Sends where the breaker allows it. Fails as `RedisScript.run` does, except with `CLOSED`. */
  readonly send: SendCommand
  /** Makes a script known. Where Redis may not be taught, a run finds out by NOSCRIPT and sends the script whole. */
  loadScript(source: string): void
  /** Asks each server for its time; the answer is the breaker's probe as well. Never rejects. */
  probe(): Promise<void>
  /** Each server by itself. */
  masters(): readonly { readonly send: SendCommand }[]
  close(): Promise<void>
}

/** What they tell, and what they share. */
export interface CommandsOptions {
  /** All scripts so far, which a new connection is taught. */
  sources: ReadonlySet<string>
  /** Each connection is sent a PING after so many milliseconds without a command. */
  keepAliveMs: number
  endOfTurn: EndOfTurn
  breakerFailures: number
  breakerProbeMs: number
  /** All of it is ready. `again`: it had been before, so something may have been missed (N6). */
  onReady: (again: boolean) => void
  /** Some of it was lost, or could not be connected. */
  onLost: (cause: unknown) => void
  onBreaker: (state: BreakerState) => void
  /** A server told its time, milliseconds. */
  onTime: (redisMs: number) => void
  /** A server refused what it should not. */
  onError: (error: unknown) => void
}
