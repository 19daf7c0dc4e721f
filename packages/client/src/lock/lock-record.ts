import { fromWireError, RealtimeError, type JsonValue, type LockBinding, type Notices } from '@tutti/protocol'
import { createListeners, mayRepeat } from '@tutti/protocol/internal'
import type { ClientInternals } from '../create-realtime-client.ts'

/** How soon a lock that could not be acquired again after a reconnect is requested again, milliseconds. */
const RETRY_MS = 1_000

/** A caller of `acquire`. */
export interface LockWaiter {
  /** When its time is over; 0: it does not wait. */
  readonly until: number
  settle(isGranted: boolean, error?: RealtimeError): void
}

/** What this client has of one lock, for all its handles. */
export interface LockRecord {
  readonly binding: LockBinding | undefined
  readonly isWaiting: boolean
  /** Nothing of the lock is here. */
  readonly isIdle: boolean
  setOptions(options: { info?: JsonValue | undefined; ttlMs?: number | undefined }): void
  /** Adds a caller, which is settled once, and sends its request. */
  acquire(waiter: LockWaiter): void
  /** A handle has the lock too. The returned function ends this, and returns whether it was the last. */
  share(): () => boolean
  /** The caller gives up. */
  abandon(waiter: LockWaiter): void
  /** No handle has the lock any more. */
  release(done?: (error?: RealtimeError) => void): void
  onLost(listener: () => void): () => void
  granted(notice: Notices['lock:granted']): void
  refused(notice: Notices['lock:refused']): void
  /** The grant with this token, or the right to any, has ended. */
  lost(token: number | undefined): void
  up(): void
  down(): void
}

/** What a record needs. */
export interface LockRecordOptions extends Pick<ClientInternals, 'clock' | 'connection' | 'onThrow'> {
  readonly key: string
  onChange(): void
}

/** Makes the record of one lock. */
export function createLockRecord({ key, clock, connection, onThrow, onChange }: LockRecordOptions): LockRecord {
  const lostListeners = createListeners<[]>(onThrow)
  const waiters = new Set<LockWaiter>()
  let options: { info?: JsonValue | undefined; ttlMs?: number | undefined } = {}
  let binding: LockBinding | undefined
  /** The newest request, while its outcome is not known. */
  let request: string | undefined
  /** The request that was granted: sent again after a reconnect, it keeps the lock. */
  let granted = ''
  /** The request that waited when the connection was lost: sent again, it keeps its place. */
  let interrupted: string | undefined
  let count = 0
  let shares = 0

  const settleAll = (isGranted: boolean, error?: RealtimeError, fits: (waiter: LockWaiter) => boolean = () => true): void => {
    for (const waiter of [...waiters]) {
      if (!fits(waiter)) continue
      waiters.delete(waiter)
      waiter.settle(isGranted, error)
    }
    onChange()
  }
  const take = (token: number): void => {
    granted = request ?? granted
    request = undefined
    if (binding?.token !== token) binding = { key, token }
    settleAll(true)
  }
  const giveBack = (token: number): void => {
    if (connection.up) connection.request('lock:release', { key, token }, () => {})
  }
  const lose = (): void => {
    binding = undefined
    shares = 0
    onChange()
    lostListeners.emit()
  }

  /** Sends one request for all callers: it waits for as long as one of them does. */
  const send = (): void => {
    if (!connection.up) return
    const mine = (request = (binding ? granted : interrupted) ?? `r${(count += 1)}`)
    interrupted = undefined
    const until = Math.max(0, ...[...waiters].map((waiter) => waiter.until))
    const waitMs = until > 0 ? Math.max(1, until - clock.now()) : undefined
    connection.request('lock:acquire', { key, request: mine, waitMs, ...options }, ({ result, error }) => {
      // It was granted meanwhile, another one is sent, or no caller is left: then it was cancelled.
      if (request !== mine) return
      if (error) {
        request = undefined
        if (binding && mayRepeat(error)) clock.after(error.retryAfterMs ?? RETRY_MS, () => binding && !request && send())
        else if (binding) lose()
        return settleAll(false, error)
      }
      if ('token' in result) {
        const before = binding
        if (before && before.token !== result.token) {
          // The lock had ended, and was free. What is bound to the former grant is refused.
          request = undefined
          giveBack(result.token)
          lose()
          return settleAll(false)
        }
        if (before || waiters.size > 0) return take(result.token)
        // The lock was lost while this request was in flight, and no handle has it any more.
        request = undefined
        return giveBack(result.token)
      }
      if ('waiting' in result) return settleAll(false, undefined, (waiter) => waiter.until === 0)
      request = undefined
      if (binding) lose()
      settleAll(false)
    })
  }

  return {
    get binding() {
      return binding
    },
    get isWaiting() {
      return waiters.size > 0
    },
    get isIdle() {
      return !binding && waiters.size === 0
    },
    setOptions: (next) => {
      options = next
    },
    acquire: (waiter) => {
      waiters.add(waiter)
      if (binding) return settleAll(true)
      send()
      onChange()
    },
    share: () => {
      shares += 1
      const mine = binding
      return () => {
        if (mine !== binding) return false
        shares -= 1
        return shares === 0
      }
    },
    abandon: (waiter) => {
      if (!waiters.delete(waiter)) return
      waiter.settle(false)
      if (waiters.size === 0) interrupted = undefined
      if (waiters.size === 0 && request && !binding) {
        if (connection.up) connection.request('lock:cancel', { key, request }, () => {})
        request = undefined
      }
      onChange()
    },
    release: (done = () => {}) => {
      const [before, open] = [binding, request]
      binding = undefined
      request = undefined
      onChange()
      if (!before || !connection.up) return done()
      // After a reconnect: if the former grant has ended, this request has another one.
      if (open) connection.request('lock:cancel', { key, request: open }, () => {})
      connection.request('lock:release', before, ({ error }) => done(error))
    },
    onLost: (listener) => lostListeners.add(listener),
    granted: (notice) => {
      if (notice.request === request && waiters.size > 0) take(notice.token)
      else if (binding?.token !== notice.token) giveBack(notice.token)
    },
    refused: (notice) => {
      if (notice.request !== request) return
      request = undefined
      const { code } = notice.error
      settleAll(false, code === 'TIMEOUT' ? undefined : fromWireError(notice.error))
    },
    lost: (token) => {
      if (binding && (token === undefined || binding.token === token)) lose()
      if (token !== undefined) return
      request = undefined
      settleAll(false)
    },
    up: () => {
      if (binding || waiters.size > 0) send()
    },
    down: () => {
      const open = request ?? interrupted
      request = undefined
      settleAll(false, new RealtimeError('UNAVAILABLE', { message: 'Not connected.' }), (waiter) => waiter.until === 0)
      interrupted = waiters.size > 0 ? open : undefined
    },
  }
}
