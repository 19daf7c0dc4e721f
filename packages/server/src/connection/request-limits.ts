import { RealtimeError, type RequestName } from '@tutti/protocol'
import type { Connection, Requester } from './connection.ts'
import { createRecent } from './recent.ts'
import { TokenBucket } from './token-bucket.ts'

/** How much one user may request of this instance, or one connection without a user (X5). */
export interface RequestRates {
  /** `storage:set`, `:remove`, `:increment` and `:patch`, `lock:acquire`, `:cancel` and `:release` in a second. */
  readonly mutationsPerSecond: number
  /** `event:publish` in a second. */
  readonly eventsPerSecond: number
  /** `presence:join`, `:update`, `:leave` and `:cursor` in a second. */
  readonly presencePerSecond: number
  /** Requests of any kind in a second; as many refusals in a second are a flood. */
  readonly requestsPerSecond: number
  /** Requests of one connection that have no reply yet. */
  readonly maxRequestsInFlight: number
}

/** Keeps requests within their rates: each user's, on however many connections, or each connection's without a user. */
export interface RequestLimits {
  /** Called for a connection that continues in spite of its refusals. */
  onFlood: (connection: Connection) => void
  /** Counts a request in, or throws `RATE_LIMITED`. The returned function is called when the request has its reply. */
  begin(connection: Requester, name: RequestName, onFlood?: (connection: Connection) => void): () => void
}

const MUTATIONS: ReadonlySet<RequestName> = new Set<RequestName>([
  ...(['storage:set', 'storage:remove', 'storage:increment', 'storage:patch'] as const),
  ...(['lock:acquire', 'lock:cancel', 'lock:release'] as const),
])

const PRESENCE: ReadonlySet<RequestName> = new Set<RequestName>([
  ...(['presence:join', 'presence:update', 'presence:leave', 'presence:cursor', 'document:awareness'] as const),
])

/** How long a client with too many requests in flight waits before the next one, milliseconds. */
const RETRY_MS = 250

/** After this time without a request all buckets are full, as new ones would be. Milliseconds. */
const FULL_AFTER_MS = 1_000

const now = (): number => performance.now()

/** The buckets of one user or connection. Each is made on first use: most connections only read. */
class Usage {
  private readonly rates: RequestRates
  private mutations: TokenBucket | undefined
  private events: TokenBucket | undefined
  private presence: TokenBucket | undefined
  private requests: TokenBucket | undefined
  private refusals: TokenBucket | undefined

  constructor(rates: RequestRates) {
    this.rates = rates
  }

  /** Counts a request, or throws `RATE_LIMITED`. */
  take(name: RequestName): void {
    const { requestsPerSecond, mutationsPerSecond, eventsPerSecond, presencePerSecond } = this.rates
    this.requests ??= new TokenBucket(requestsPerSecond, now)
    this.requests.take('requests per second (requestsPerSecond)')
    if (MUTATIONS.has(name)) {
      this.mutations ??= new TokenBucket(mutationsPerSecond, now)
      this.mutations.take('mutations per second (mutationsPerSecond)')
    }
    if (name === 'event:publish') {
      this.events ??= new TokenBucket(eventsPerSecond, now)
      this.events.take('events per second (eventsPerSecond)')
    }
    if (PRESENCE.has(name)) {
      this.presence ??= new TokenBucket(presencePerSecond, now)
      this.presence.take('changes of presence per second (presence.updatesPerSecond)')
    }
  }

  /** Counts a refusal; false where there were too many. */
  tryRefuse(): boolean {
    this.refusals ??= new TokenBucket(this.rates.requestsPerSecond, now)
    return this.refusals.tryTake()
  }
}

/** Makes the limits of one server. */
export function createRequestLimits(rates: RequestRates): RequestLimits {
  const create = (): Usage => new Usage(rates)
  const ofUsers = createRecent<string, Usage>(FULL_AFTER_MS, create, now)
  /** By the ids of connections without a user. Most are idle, so a usage of each would be the larger part of the memory here. */
  const ofConnections = createRecent<string, Usage>(FULL_AFTER_MS, create, now)

  const usageOf = ({ user, id }: Connection): Usage => (user === '' ? ofConnections.get(id) : ofUsers.get(user))

  const limits: RequestLimits = {
    onFlood: () => {},
    begin: (connection, name, onFlood = limits.onFlood) => {
      const usage = usageOf(connection)
      try {
        if (connection.requestsInFlight >= rates.maxRequestsInFlight) {
          const message = `Too many requests in flight (maxRequestsInFlight: ${rates.maxRequestsInFlight}).`
          throw new RealtimeError('RATE_LIMITED', { message, retryAfterMs: RETRY_MS })
        }
        usage.take(name)
      } catch (refusal) {
        if (!usage.tryRefuse()) onFlood(connection)
        throw refusal
      }
      connection.requestsInFlight += 1
      return () => {
        connection.requestsInFlight -= 1
      }
    },
  }
  return limits
}
