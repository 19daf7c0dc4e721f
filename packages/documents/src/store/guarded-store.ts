import { RealtimeError } from '@tutti/protocol'
import type { DocumentStore } from './document-store.ts'

/** The longest time between two attempts while the database is not available, milliseconds. */
const MAX_RETRY_MS = 5_000

/** What the guard needs. */
export interface GuardOptions {
  /** Time until the first attempt after a failure; each further one waits twice as long, milliseconds. */
  retryMs: number
  /** Time limit of a call, milliseconds. */
  timeoutMs: number
  /** The database is not available: runs once, until it is available again. */
  onOutage: (error: RealtimeError) => void
}

/** State of the circuit breaker. */
type Breaker =
  | { readonly state: 'closed' }
  /** Calls are refused, but for one at a time after `nextMs`, on the monotonic clock. */
  | { readonly state: 'open'; readonly attempts: number; readonly nextMs: number; readonly isTrying: boolean }

/**
 * Makes a store whose calls share a circuit breaker (D5): while the database is not available they are refused with `UNAVAILABLE` and
 * the time of the next attempt, so that an outage is reported once, and the database is not flooded when it returns.
 */
export function guardStore(store: DocumentStore, { retryMs, timeoutMs, onOutage }: GuardOptions): DocumentStore {
  let breaker: Breaker = { state: 'closed' }

  const opened = (attempts: number): Breaker => {
    const nextMs = performance.now() + Math.min(MAX_RETRY_MS, retryMs * 2 ** attempts)
    return { state: 'open', attempts, nextMs, isTrying: false }
  }
  const fail = (error: RealtimeError, isAttempt: boolean): void => {
    if (breaker.state === 'closed') {
      breaker = opened(0)
      onOutage(error)
    } else if (isAttempt) breaker = opened(breaker.attempts + 1)
  }
  /** Whether the call is an attempt. Throws `UNAVAILABLE` while calls are refused. */
  const enter = (): boolean => {
    if (breaker.state === 'closed') return false
    const waitMs = Math.ceil(breaker.nextMs - performance.now())
    if (waitMs > 0 || breaker.isTrying) {
      throw new RealtimeError('UNAVAILABLE', {
        message: 'The database is not available. It is tried again.',
        retryAfterMs: Math.max(waitMs, retryMs),
      })
    }
    breaker = { ...breaker, isTrying: true }
    return true
  }
  const run = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    const isAttempt = enter()
    try {
      const result = await limited(call, timeoutMs)
      breaker = { state: 'closed' }
      return result
    } catch (error) {
      if (error instanceof RealtimeError && error.code === 'UNAVAILABLE') fail(error, isAttempt)
      // The database has answered.
      else breaker = { state: 'closed' }
      throw error
    }
  }
  return {
    ...store,
    create: (document) => run(() => store.create(document)),
    load: (id) => run(() => store.load(id)),
    updatesAfter: (id, offset, maxBytes) => run(() => store.updatesAfter(id, offset, maxBytes)),
    append: (batches) => run(() => store.append(batches)),
    saveSnapshot: (snapshot) => run(() => store.saveSnapshot(snapshot)),
    history: (id, page) => run(() => store.history(id, page)),
    addVersion: (version) => run(() => store.addVersion(version)),
    versions: (id, page) => run(() => store.versions(id, page)),
    readVersion: (id, version) => run(() => store.readVersion(id, version)),
    removeVersion: (id, version) => run(() => store.removeVersion(id, version)),
    prune: (olderThanMs) => run(() => store.prune(olderThanMs)),
  }
}

/** Rejects with `UNAVAILABLE` after the time limit. The call may still take effect: each write compares the offset first. */
async function limited<Result>(call: () => Promise<Result>, timeoutMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    const message = `The database has not replied within ${timeoutMs} ms (databaseTimeoutMs).`
    timer = setTimeout(() => reject(new RealtimeError('UNAVAILABLE', { message })), timeoutMs)
  })
  try {
    return await Promise.race([call(), limit])
  } finally {
    clearTimeout(timer)
  }
}
