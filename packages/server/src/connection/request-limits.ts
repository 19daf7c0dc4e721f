import { RealtimeError, type RequestName } from '@tutti/protocol'
import type { Connection } from './connection.ts'
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
  begin(connection: Connection, name: RequestName, onFlood?: (connection: Connection) => void): () => void
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

/** Users that are remembered before those that need not be are removed. */
const FEW = 1_000

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

  /** A new one would be the same. */
  get isUnused(): boolean {
    return (this.requests?.isFull ?? true) && (this.refusals?.isFull ?? true)
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
      this.presence.take('changes of presence in a second')
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
  const ofUsers = new Map<string, Usage>()
  const ofConnections = new WeakMap<Connection, Usage>()
  /** Requests without a reply, of connections that have any. */
  const inFlight = new Map<Connection, number>()
  let many = FEW

  /** Forgets users whose buckets are full again. */
  const sweep = (): void => {
    for (const [user, usage] of ofUsers) if (usage.isUnused) ofUsers.delete(user)
    many = Math.max(FEW, 2 * ofUsers.size)
  }

  const usageOf = (connection: Connection): Usage => {
    const { user } = connection
    const existing = user === '' ? ofConnections.get(connection) : ofUsers.get(user)
    if (existing !== undefined) return existing
    const usage = new Usage(rates)
    if (user === '') ofConnections.set(connection, usage)
    else {
      if (ofUsers.size >= many) sweep()
      ofUsers.set(user, usage)
    }
    return usage
  }

  const limits: RequestLimits = {
    onFlood: () => {},
    begin: (connection, name, onFlood = limits.onFlood) => {
      const usage = usageOf(connection)
      const count = inFlight.get(connection) ?? 0
      try {
        if (count >= rates.maxRequestsInFlight) {
          const message = `Too many requests in flight (maxRequestsInFlight: ${rates.maxRequestsInFlight}).`
          throw new RealtimeError('RATE_LIMITED', { message, retryAfterMs: RETRY_MS })
        }
        usage.take(name)
      } catch (refusal) {
        if (!usage.tryRefuse()) onFlood(connection)
        throw refusal
      }
      inFlight.set(connection, count + 1)
      return () => {
        const left = (inFlight.get(connection) ?? 1) - 1
        if (left === 0) inFlight.delete(connection)
        else inFlight.set(connection, left)
      }
    },
  }
  return limits
}
