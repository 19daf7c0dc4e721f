import type { MessageHandler, PubSubStatus, Unsubscribe } from '../contract.ts'

/** The reply of a script: bulk strings as text, integers as numbers, nil and false as null. */
export type ScriptReply = string | number | null | ScriptReply[]

/** A Lua script: `run` is executed for each run, with its own KEYS and ARGV. */
export interface ScriptSource {
  readonly run: string
  /** Executed once in each command, before its runs, which can use its locals. */
  readonly setup?: string
  /**
   * The beginning of each run, which may return early. In a command with a single run it precedes `functions`, whose definition
   * costs more than a short run.
   */
  readonly shortcut?: string
  /** Locals for the rest of a run, defined once in each command. */
  readonly functions?: string
  /**
   * `run` is executed once for consecutive runs with the same list of keys and the same number of arguments. Its locals: `runs`, their
   * number; `size`, the arguments of each, those of the first one after `ARGV[before]`; it sets the replies from `replies[number + 1]`
   * on. An error fails the runs without a reply. It must not use `shortcut`.
   */
  readonly isGrouped?: boolean
  /** Executed once in each command, after its runs, of which none or some may have failed. It must not fail itself. */
  readonly finish?: string
  /** Keys and values shared by all runs, by the names of their Lua locals. They are sent once in each command. */
  readonly sharedKeys?: Readonly<Record<string, string>>
  readonly shared?: Readonly<Record<string, string | number>>
}

/** One Lua script. */
export interface RedisScript {
  /**
   * Like `run`, with callbacks instead of a promise. Exactly one of them is called, after `send` has returned. If they settle
   * promises, these settle in the order in which Redis executed the runs. They must not throw. Consecutive runs with the same list
   * object as `keys` send it once; then KEYS is one table for all of them, which none may change.
   */
  send(
    keys: readonly string[],
    args: readonly (string | number)[],
    onReply: (reply: ScriptReply) => void,
    onError: (error: unknown) => void,
  ): void
  /**
   * Runs it in one round trip by EVALSHA, since each connection loads the scripts (SCRIPT LOAD) before anything else. Runs are
   * executed in the order in which they were started. If Redis has lost a script (SCRIPT FLUSH), a run is sent again as EVAL,
   * after those already in flight. An error of the script itself is passed on unchanged.
   *
   * @throws {RealtimeError} `UNAVAILABLE` (never written to the socket, or refused by a Redis that cannot serve: the script did not run),
   * `OUTCOME_UNKNOWN` (it may have run or may still run), `CLOSED`.
   */
  run(keys: readonly string[], args: readonly (string | number)[]): Promise<ScriptReply>
}

/** Receives bytes, and the channel without its prefix. */
export type BytesHandler = (message: Buffer, channel: string) => void

/** State of the circuit breaker. */
export type BreakerState = 'closed' | 'open' | 'probing'

/**
 * Redis as the packages use it, one server or a Cluster: two connections, scripts, raw subscriptions. `RealtimePubSub` is built
 * on it and exposes it as `pubsub.link`; every feature that needs Redis uses the link, and no other package imports ioredis.
 * Calls made before the first connection attempt has an outcome wait for it; later ones are sent at once or refused. After
 * `dispose`, methods that return no promise throw `CLOSED`.
 */
export interface RedisLink {
  /** The application's prefix, at the beginning of every Redis channel and every internal name. */
  readonly prefix: string
  readonly status: PubSubStatus
  readonly breaker: BreakerState
  script(source: string | ScriptSource): RedisScript
  /**
   * One plain command over `pub`, on a Cluster to the server of its first key, e.g. `command('ZRANGEBYLEX', key, '-', '+')`;
   * never one that blocks or subscribes, because all other commands wait for it. Rejects like `run`.
   */
  command(name: string, ...args: (string | number)[]): Promise<ScriptReply>
  /** Whether keys are distributed over several servers: a script then uses keys of one hash slot only. */
  readonly isCluster: boolean
  /** Each server separately, for commands without a key such as SCAN; a single one unless it is a Cluster. */
  masters(): readonly Pick<RedisLink, 'command'>[]
  /**
   * Replaces the connections of `pub` if `sub` replies to a PING and `isHanging` then returns true: for a call that has waited
   * longer than its purpose allows, although Redis responds. Calls in flight reject with `OUTCOME_UNKNOWN`.
   */
  replaceHanging(isHanging: () => boolean): Promise<void>
  /** Publishes text or bytes on `<prefix>:<channel>`. Rejects like `run`. */
  publish(channel: string, message: string | Buffer): Promise<void>
  /** Receives every message on `<prefix>:<channel>`, including those of this instance, in the order in which Redis executed them. */
  subscribe(channel: string, handler: MessageHandler): Unsubscribe
  /**
   * Like `subscribe`, for messages of another library: bytes, unchanged. A `channel` that ends with `*` is all channels that begin with the
   * rest. A channel with a subscription to bytes has none to text.
   */
  subscribeBytes(channel: string, handler: BytesHandler): Unsubscribe
  /** The number of connections that are subscribed to `<prefix>:<channel>`, not by a pattern. Rejects like `run`. */
  countSubscribers(channel: string): Promise<number>
  /**
   * The name of a key that accompanies a value, in the value's hash slot: `{<base>:<key>}$<name>`, or `<base>:<key>$<name>` if
   * `base` has a hash tag. `name` is '' for the state.
   *
   * @throws {RealtimeError} `INVALID_OPTIONS` for a `base` whose braces are not a hash tag.
   */
  companionKey(base: string, key: string, name: string): string
  /** Redis' clock, milliseconds since 1970, as estimated from its TIME at the last connect. */
  now(): number
  /** Corrects the estimate by a time just received from Redis, milliseconds. */
  adjustClock(redisMs: number): void
  onGap(listener: () => void): () => void
  onStatus(listener: (status: PubSubStatus) => void): () => void
  onBreaker(listener: (state: BreakerState) => void): () => void
  /** Settles at the first `ready` of both connections; rejects with `CLOSED` if disposed before. */
  readonly ready: Promise<void>
  dispose(): Promise<void>
}
