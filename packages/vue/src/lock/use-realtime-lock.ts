import { lock, type AcquireOptions, type Lock, type LockHolder, type LockSnapshot } from '@tutti/client/lock'
import { RealtimeError, type JsonValue, type LockBinding } from '@tutti/protocol'
import { anything, callback, parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { computed, onScopeDispose, shallowRef, toValue, watch, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import { bridgeObservable } from '../bridge-observable.ts'
import { useRealtimeContext } from '../realtime-context.ts'

/** How a lock is used. */
export interface UseRealtimeLockOptions<Info> {
  /** What others see of the holder: any JSON. Used by the next `acquire` on the current key. Without it, null. */
  info?: MaybeRefOrGetter<Info | undefined> | undefined
  /**
   * How long the lock lasts after the connection was lost, milliseconds.
   *
   * @default the default of the server, 10_000
   */
  ttlMs?: number | undefined
  /** Called when the lock has ended by other means than `release`. Without it, `isMine` shows it. */
  onLost?: (() => void) | undefined
}

const OPTIONS = { info: anything, ttlMs: wholeNumber(1, undefined), onLost: callback(undefined) } satisfies OptionRows<
  UseRealtimeLockOptions<unknown>
>

/** The lock of a key in a component. */
export interface UseRealtimeLockReturn<Info> {
  /** The client that has the lock, this one included. */
  readonly holder: ComputedRef<LockHolder<Info> | undefined>
  /** This client has the lock. */
  readonly isMine: ComputedRef<boolean>
  /** Another client has the lock. */
  readonly isTaken: ComputedRef<boolean>
  /** A request of this client waits. */
  readonly waiting: ComputedRef<boolean>
  /** The server has not yet sent the holder; true in a page that is rendered on a server. */
  readonly loading: ComputedRef<boolean>
  /** Why the holder cannot be shown. */
  readonly error: ComputedRef<Error | undefined>
  /** For the option `lock` of `useRealtimeState`. */
  readonly binding: LockBinding | undefined
  /** Resolves with true if this client has the lock, with false if another one has it or the time is over. */
  acquire(options?: AcquireOptions): Promise<boolean>
  release(): Promise<void>
  /** Ends the lock of any holder. Needs the right `lock:force`. */
  forceRelease(): Promise<void>
}

const LOADING: LockSnapshot<never> = {
  ...{ holder: undefined, isMine: false, waiting: false, token: undefined, loading: true, error: undefined },
}

/**
 * The lock of a key. A changed key releases the lock of the one before. Ends with its scope, which releases the lock.
 *
 * @throws {RealtimeError} `INVALID_KEY`, `INVALID_VALUE`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const { acquire, release, isTaken, holder } = useRealtimeLock('form:1:name', { info: () => ({ name: me.value }) })
 */
export function useRealtimeLock<Info = JsonValue>(
  key: MaybeRefOrGetter<string>,
  options: UseRealtimeLockOptions<Info> = {},
): UseRealtimeLockReturn<Info> {
  const { ttlMs, onLost } = parseOptions('useRealtimeLock', OPTIONS, options)
  const { client, onServer } = useRealtimeContext()
  const take = (): Lock<Info> => {
    const taken = lock<Info>(client, toValue(key), { info: toValue(options.info), ttlMs })
    if (onLost) taken.onLost(onLost)
    return taken
  }
  let handle = take()
  // No scope ends on a server, and nothing is retained there.
  if (onServer) handle.dispose()
  const bridge = bridgeObservable<LockSnapshot<Info>>(handle, {
    onServer,
    rendered: () => LOADING,
    onChange: () => {
      shown.value = bridge.current
    },
  })
  const shown = shallowRef(bridge.current)
  const follow = (): void => {
    const before = handle
    handle = take()
    before.dispose()
    bridge.follow(handle)
  }
  watch(() => toValue(key), follow, { flush: 'sync' })
  onScopeDispose(() => handle.dispose(), true)
  return {
    holder: computed(() => shown.value.holder),
    isMine: computed(() => shown.value.isMine),
    isTaken: computed(() => shown.value.holder !== undefined && !shown.value.isMine),
    waiting: computed(() => shown.value.waiting),
    loading: computed(() => shown.value.loading),
    error: computed(() => shown.value.error),
    get binding() {
      return handle.binding
    },
    acquire: async (acquire) => {
      if (onServer) throw new RealtimeError('UNSUPPORTED', { message: 'Locks are acquired in browsers only.' })
      handle.setInfo(toValue(options.info))
      return handle.acquire(acquire)
    },
    release: () => handle.release(),
    forceRelease: () => handle.forceRelease(),
  }
}
