import { RealtimeError, type RequestName } from '@tutti/protocol'
import type { Connection } from './connection.ts'
import { TokenBucket } from './token-bucket.ts'

/** How much one user may ask for on this instance, or one connection where nobody is signed in (X5). */
export interface RequestRates {
  /** `storage:set`, `:remove`, `:increment` and `:patch` in a second. */
  readonly mutationsPerSecond: number
  /** `event:publish` in a second. */
  readonly eventsPerSecond: number
  /** Requests of any kind in a second; as many refusals in a second are a flood. */
  readonly requestsPerSecond: number
  /** Requests of one connection that have no reply yet. */
  readonly maxRequestsUnderWay: number
}

const MUTATIONS: ReadonlySet<RequestName> = new Set<RequestName>(['storage:set', 'storage:remove', 'storage:increment', 'storage:patch'])

/** When to come back who has too much under way, milliseconds. */
const RETRY_MS = 250

/** Users who may be known before those that need not be are looked for. */
const FEW = 1_000

interface Usage {
  readonly mutations: TokenBucket
  readonly events: TokenBucket
  readonly requests: TokenBucket
  readonly refusals: TokenBucket
}

/** Keeps requests within their rates: each user's, on however many connections, or each connection's without a user. */
export class RequestLimits {
  /** Hears of a connection that goes on and on, whatever it is told. */
  onFlood: (connection: Connection) => void = () => {}
  private readonly ofUsers = new Map<string, Usage>()
  private readonly ofConnections = new WeakMap<Connection, Usage>()
  private readonly underWay = new WeakMap<Connection, number>()
  private many = FEW
  private readonly rates: RequestRates

  constructor(rates: RequestRates) {
    this.rates = rates
  }

  /** Counts a request in, or throws `RATE_LIMITED`; the function that is given back says that it was answered. */
  begin(connection: Connection, name: RequestName, onFlood: (connection: Connection) => void = this.onFlood): () => void {
    const usage = this.usageOf(connection)
    try {
      this.take(usage, this.count(connection, 0), name)
    } catch (refusal) {
      if (!usage.refusals.tryTake()) onFlood(connection)
      throw refusal
    }
    this.count(connection, 1)
    return () => void this.count(connection, -1)
  }

  private take(usage: Usage, underWay: number, name: RequestName): void {
    if (underWay >= this.rates.maxRequestsUnderWay) {
      throw new RealtimeError('RATE_LIMITED', { message: 'Too many requests wait for their reply.', retryAfterMs: RETRY_MS })
    }
    usage.requests.take('requests in a second')
    if (MUTATIONS.has(name)) usage.mutations.take('changes in a second')
    if (name === 'event:publish') usage.events.take('events in a second')
  }

  private count(connection: Connection, more: number): number {
    const count = (this.underWay.get(connection) ?? 0) + more
    this.underWay.set(connection, count)
    return count
  }

  private usageOf(connection: Connection): Usage {
    const { user } = connection
    const existing = user === '' ? this.ofConnections.get(connection) : this.ofUsers.get(user)
    if (existing !== undefined) return existing
    const usage = this.newUsage()
    if (user === '') this.ofConnections.set(connection, usage)
    else {
      if (this.ofUsers.size >= this.many) this.sweep()
      this.ofUsers.set(user, usage)
    }
    return usage
  }

  private newUsage(): Usage {
    const bucket = (perSecond: number): TokenBucket => new TokenBucket(perSecond, () => performance.now())
    const { mutationsPerSecond, eventsPerSecond, requestsPerSecond } = this.rates
    return {
      mutations: bucket(mutationsPerSecond),
      events: bucket(eventsPerSecond),
      requests: bucket(requestsPerSecond),
      refusals: bucket(requestsPerSecond),
    }
  }

  /** Forgets users whose buckets are full again: new ones would be the same. */
  private sweep(): void {
    for (const [user, { requests, refusals }] of this.ofUsers) if (requests.isFull && refusals.isFull) this.ofUsers.delete(user)
    this.many = Math.max(FEW, 2 * this.ofUsers.size)
  }
}
