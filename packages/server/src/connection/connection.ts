import { RealtimeError, type NoticeName, type Notices } from '@tutti/protocol'
import type { Backlog } from './backpressure.ts'
import { NameSet } from './name-set.ts'
import type { Notice } from './notice.ts'

/** One live socket of one client, or server code that acts as a user (`realtime.as`), as features see it. */
export interface Connection {
  /** The socket's id: unique in the cluster, new after each reconnect. Without a socket it begins with `$`, which no id of a socket has. */
  readonly id: string
  /** Id of the signed-in user; '' for anonymous. */
  readonly user: string
  /** The client's address, according to `trustProxy`. */
  readonly address: string
  /** What the client calls itself, across reconnects; a plain socket.io-client may have none. */
  readonly clientId: string | undefined
  readonly connected: boolean
  /** When it was opened: whole milliseconds of `performance.now()`. */
  readonly openedAt: number
  readonly subscriptions: Subscriptions
  /** What waits for it to read. */
  readonly backlog: Backlog
  /** Sends to this connection alone. */
  send<Name extends NoticeName>(name: Name, payload: Notices[Name]): void
  /** Sends to this connection what others are sent too. */
  deliver(notice: Notice<NoticeName>): void
  /** Closes it at once, without waiting for what it does not read. */
  end(): void
  /** Closes it after what was sent before. */
  disconnect(): void
  join(room: string): void
  leave(room: string): void
}

/** A connection that makes requests. */
export interface Requester extends Connection {
  /** Requests without a reply, counted by `request-limits.ts`. */
  requestsInFlight: number
}

/** What a connection is subscribed to, bounded: the keys, and the names of rooms of other subscriptions. */
export interface Subscriptions {
  /**
   * Counts the names in, all or none; throws `TOO_MANY_SUBSCRIPTIONS`. They must differ from each other. Names that are in already
   * cost nothing. Returns those that were not.
   */
  add(names: readonly string[]): readonly string[]
  has(name: string): boolean
  delete(name: string): void
  /** Grows with each `delete`: while it is the same, all that was added is still subscribed. */
  readonly deletions: number
  readonly all: Iterable<string>
}

/** Subscriptions of one connection, so many at most. */
export const createSubscriptions = (maxSubscriptions: number): Subscriptions => new BoundedSubscriptions(maxSubscriptions)

const NO_NAMES: readonly string[] = []

/** Made for each connection, so the set is made only for those that subscribe. */
class BoundedSubscriptions implements Subscriptions {
  deletions = 0
  private readonly most: number
  private names: NameSet | undefined

  constructor(most: number) {
    this.most = most
  }

  get all(): Iterable<string> {
    return this.names ?? NO_NAMES
  }

  add(names: readonly string[]): readonly string[] {
    const held = this.names
    const added = held === undefined ? names : names.filter((name) => !held.has(name))
    if ((held?.size ?? 0) + added.length > this.most) {
      throw new RealtimeError('TOO_MANY_SUBSCRIPTIONS', {
        message: `Subscription limit reached for this connection (maxSubscriptions: ${this.most}).`,
      })
    }
    if (held === undefined) this.names = new NameSet([...added])
    else for (const name of added) held.add(name)
    return added
  }

  has(name: string): boolean {
    return this.names?.has(name) === true
  }

  delete(name: string): void {
    this.deletions += 1
    this.names?.delete(name)
  }
}
