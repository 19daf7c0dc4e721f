import { RealtimeError, type RequestName } from '@tutti/protocol'
import type { Connection } from '../connection.ts'
import { TokenBucket } from './token-bucket.ts'

/** How much one connection may ask for (X5). */
export interface RequestRates {
  /** `storage:set`, `:remove`, `:increment` and `:patch` in a second. */
  readonly mutationsPerSecond: number
  /** `event:publish` in a second. */
  readonly eventsPerSecond: number
  /** Requests of any kind in a second; as many refusals in a second are a flood. */
  readonly requestsPerSecond: number
  /** Requests that have no reply yet. */
  readonly maxRequestsUnderWay: number
}

const MUTATIONS: ReadonlySet<RequestName> = new Set<RequestName>(['storage:set', 'storage:remove', 'storage:increment', 'storage:patch'])

/** When to come back who has too much under way, milliseconds. */
const RETRY_MS = 250

interface Usage {
  readonly mutations: TokenBucket
  readonly events: TokenBucket
  readonly requests: TokenBucket
  readonly refusals: TokenBucket
  underWay: number
}

/** Keeps each connection's requests within its rates. */
export class RequestLimits {
  /** Hears of a connection that goes on and on, whatever it is told. */
  onFlood: (connection: Connection) => void = () => {}
  private readonly usages = new WeakMap<Connection, Usage>()
  private readonly rates: RequestRates

  constructor(rates: RequestRates) {
    this.rates = rates
  }

  /** Counts a request in, or throws `RATE_LIMITED`; the function that is given back says that it was answered. */
  begin(connection: Connection, name: RequestName): () => void {
    const usage = this.usageOf(connection)
    try {
      this.take(usage, name)
    } catch (refusal) {
      if (!usage.refusals.tryTake()) this.onFlood(connection)
      throw refusal
    }
    usage.underWay += 1
    return () => void (usage.underWay -= 1)
  }

  private take(usage: Usage, name: RequestName): void {
    if (usage.underWay >= this.rates.maxRequestsUnderWay) {
      throw new RealtimeError('RATE_LIMITED', { message: 'Too many requests wait for their reply.', retryAfterMs: RETRY_MS })
    }
    usage.requests.take()
    if (MUTATIONS.has(name)) usage.mutations.take()
    if (name === 'event:publish') usage.events.take()
  }

  private usageOf(connection: Connection): Usage {
    const existing = this.usages.get(connection)
    if (existing !== undefined) return existing
    const bucket = (perSecond: number): TokenBucket => new TokenBucket(perSecond, () => performance.now())
    const { mutationsPerSecond, eventsPerSecond, requestsPerSecond } = this.rates
    const usage = {
      mutations: bucket(mutationsPerSecond),
      events: bucket(eventsPerSecond),
      requests: bucket(requestsPerSecond),
      refusals: bucket(requestsPerSecond),
      underWay: 0,
    }
    this.usages.set(connection, usage)
    return usage
  }
}
