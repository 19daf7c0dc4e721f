import type { MessageHandler, PubSubStatus, Unsubscribe } from '../contract.ts'

/** What a script gives back: bulk strings as text, integers as numbers, nil and false as null. */
export type ScriptReply = string | number | null | ScriptReply[]

/** A Lua script: `run` is executed for each run, with KEYS and ARGV of its own. */
export interface ScriptSource {
  readonly run: string
  /** Executed once in each command, before its runs, which see its locals. */
  readonly setup?: string
  /**
   * The beginning of each run, which may return. Where a run is alone in its command, that is before `functions`: what they cost
   * is more than a short run costs.
   */
  readonly shortcut?: string
  /** Locals that the rest of a run sees, made once in each command. */
  readonly functions?: string
  /** Keys and values that all runs share, by the names of the Lua locals that have them. They are sent once in each command. */
  readonly sharedKeys?: Readonly<Record<string, string>>
  readonly shared?: Readonly<Record<string, string | number>>
}

/** One Lua script. */
export interface RedisScript {
  /**
   * As `run`, with callbacks instead of a promise. One of them is called, once, and not before `send` has returned. Where they
   * settle promises, these settle in the order in which Redis executed the runs. They must not throw.
   */
  send(
    keys: readonly string[],
    args: readonly (string | number)[],
    onReply: (reply: ScriptReply) => void,
    onError: (error: unknown) => void,
  ): void
  /**
   * Runs it in one round trip: EVALSHA, since each connect teaches Redis the scripts (SCRIPT LOAD) before anything else.
   * Runs started in one order are executed in that order. Where Redis has forgotten a script (SCRIPT FLUSH), a run is
   * sent again as EVAL, after those that were already under way. Rejects with `UNAVAILABLE` (never written to the socket, or refused by a Redis
   * that cannot serve: the script did not run), `OUTCOME_UNKNOWN` (it may have run or may yet run), `CLOSED`, or with
   * the script's own error.
   */
  run(keys: readonly string[], args: readonly (string | number)[]): Promise<ScriptReply>
}

/** State of the circuit breaker (N10). */
export type BreakerState = 'closed' | 'open' | 'probing'

/**
 * Redis as the packages see it, one server or a Cluster: two connections, scripts, raw subscriptions. `RealtimePubSub` stands on it and shows it
 * as `pubsub.link`; whoever needs Redis takes the link, and nobody else imports ioredis. Calls made before the first
 * attempt to connect has an outcome wait for it; later ones are sent at once or refused. After `dispose` methods that
 * return no promise throw `CLOSED`.
 */
export interface RedisLink {
  /** The application's prefix, before every Redis channel and everything internal (N8). */
  readonly prefix: string
  readonly status: PubSubStatus
  readonly breaker: BreakerState
  script(source: string | ScriptSource): RedisScript
  /**
   * One plain command over `pub`, on a Cluster to the server of its first key, e.g. `command('ZRANGEBYLEX', key, '-', '+')`; never one that blocks or subscribes, for
   * everybody waits behind it. Rejects as `run` does.
   */
  command(name: string, ...args: (string | number)[]): Promise<ScriptReply>
  /** Whether keys are spread over several servers: scripts then touch the keys of one hash slot only. */
  readonly isCluster: boolean
  /** Each server by itself, for what no key leads to, such as SCAN; one where it is no Cluster. */
  masters(): readonly Pick<RedisLink, 'command'>[]
  /** Publishes text on `<prefix>:<channel>`. Rejects as `run` does. */
  publish(channel: string, text: string): Promise<void>
  /** Hears every message on `<prefix>:<channel>`, one's own included, in the order in which Redis executed them (N3). */
  subscribe(channel: string, handler: MessageHandler): Unsubscribe
  /**
   * The name of what stands beside a value, in the value's hash slot: `{<base>:<key>}$<name>`, or `<base>:<key>$<name>`
   * when `base` has a hash tag of its own. `name` is '' for the state. Throws `INVALID_OPTIONS` for a `base` whose braces
   * are no hash tag.
   */
  companionKey(base: string, key: string, name: string): string
  /** Redis' clock, milliseconds since 1970, as estimated from its TIME at the last connect. */
  now(): number
  /** Corrects the estimate from a time that Redis just told, in milliseconds. */
  adjustClock(redisMs: number): void
  onGap(listener: () => void): () => void
  onStatus(listener: (status: PubSubStatus) => void): () => void
  onBreaker(listener: (state: BreakerState) => void): () => void
  /** Settles at the first `ready` of both connections; rejects with `CLOSED` if disposed before. */
  readonly ready: Promise<void>
  dispose(): Promise<void>
}
