import { isKey, jsonCopy, RealtimeError, type JsonValue } from '@tutti/protocol'
import { anything, parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import { settledBy } from '../mark-handled.ts'
import { createObservable } from '../observable.ts'
import { keepReferences } from '../state/keep-references.ts'
import type { AcquireOptions, Lock, LockOptions, Locks, LockSnapshot } from './lock-contract.ts'
import type { LockWaiter } from './lock-record.ts'
import { lockRegistryOf } from './lock-registry.ts'

export type { AcquireOptions, Lock, LockHolder, LockOptions, Locks, LockSnapshot } from './lock-contract.ts'

const OPTIONS = { info: anything, ttlMs: wholeNumber(1, undefined) } satisfies OptionRows<LockOptions<unknown>>
const ACQUIRE = { waitMs: wholeNumber(1, undefined), signal: anything } satisfies OptionRows<AcquireOptions>

/**
 * A handle on the lock of a key. Dispose of it when it is no longer used, which releases the lock.
 *
 * @throws {RealtimeError} `INVALID_KEY`, `INVALID_VALUE` for an info that is not JSON, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const name = lock(client, 'form:1:name', { info: { name: 'Ada' } })
 * if (await name.acquire({ waitMs: 5_000 })) await client.state('form:1:name', { lock: name }).set('Ada')
 * await name.release()
 */
export function lock<Info = JsonValue>(client: Pick<RealtimeClient, 'internals'>, key: string, options?: LockOptions<Info>): Lock<Info>
export function lock({ internals }: Pick<RealtimeClient, 'internals'>, key: string, options: LockOptions<unknown> = {}): Lock<unknown> {
  const { ttlMs, info } = parseOptions('lock', OPTIONS, options)
  assertName(isKey, key, 'INVALID_KEY')
  const copyOf = (value: unknown): JsonValue | undefined => (value === undefined ? undefined : jsonCopy(value, 'info'))
  let shownInfo = copyOf(info)
  if (internals.isClosed()) throw new RealtimeError('CLOSED')
  const { clock, connection } = internals
  const registry = lockRegistryOf(internals)
  const record = registry.record(key)
  const own = new Set<LockWaiter>()
  const stops: (() => void)[] = []
  let disposed = false
  /** Ends this handle's share of the lock. */
  let endShare: (() => boolean) | undefined

  const snapshot = (): LockSnapshot<unknown> => {
    const { holders, isLoaded, error } = watch.view()
    const { binding } = record
    const isMine = endShare !== undefined && binding !== undefined
    return {
      holder: holders.get(key),
      isMine,
      waiting: own.size > 0,
      token: isMine ? binding.token : undefined,
      loading: !isLoaded && !error,
      error,
    }
  }
  const refresh = (): void => show(keepReferences(observable.current, snapshot()))
  const watch = registry.watch(key, () => refresh())
  const { observable, show } = createObservable(snapshot(), internals.onThrow)
  stops.push(
    watch.end,
    record.onLost(() => {
      endShare = undefined
      refresh()
    }),
    registry.onOwn(key, refresh),
  )

  const handle: Lock<unknown> = Object.assign(observable, {
    key,
    binding: undefined,
    acquire: (acquire: AcquireOptions = {}) => {
      const { waitMs, signal } = parseOptions('acquire', ACQUIRE, acquire)
      return new Promise<boolean>((resolve, reject) => {
        if (disposed) throw new RealtimeError('CLOSED')
        if (signal?.aborted) return resolve(false)
        if (!connection.up && waitMs === undefined && !record.binding) throw new RealtimeError('UNAVAILABLE', { message: 'Not connected.' })
        record.setOptions({ info: shownInfo, ttlMs })
        const abandon = (): void => record.abandon(waiter)
        const cancel = waitMs === undefined ? () => {} : clock.after(waitMs, abandon)
        const waiter: LockWaiter = {
          until: waitMs === undefined ? 0 : clock.now() + waitMs,
          settle: (isGranted, error) => {
            cancel()
            signal?.removeEventListener('abort', abandon)
            own.delete(waiter)
            if (isGranted) endShare ??= record.share()
            refresh()
            if (error) reject(error)
            else resolve(isGranted)
          },
        }
        signal?.addEventListener('abort', abandon)
        own.add(waiter)
        record.acquire(waiter)
      })
    },
    setInfo: (value: unknown) => {
      shownInfo = copyOf(value)
    },
    release: () =>
      settledBy((done) => {
        for (const waiter of [...own]) record.abandon(waiter)
        const isLast = endShare?.()
        endShare = undefined
        if (isLast) record.release(done)
        else done()
        refresh()
      }),
    forceRelease: () => settledBy((done) => connection.request('lock:release', { key, force: true }, ({ error }) => done(error))),
    onLost: (listener: () => void) => record.onLost(listener),
    dispose: () => {
      if (disposed) return
      disposed = true
      void handle.release()
      for (const stop of stops) stop()
    },
  })
  return Object.defineProperty(handle, 'binding', { get: () => (endShare ? record.binding : undefined) })
}

/**
 * The locks below a prefix (`form:1:`) that have a holder, for example all of a form. Dispose of it when it is no longer used.
 *
 * @throws {RealtimeError} `INVALID_KEY`, `CLOSED`.
 *
 * @example
 * locks(client, 'form:1:').subscribe((holders) => show(holders.get('form:1:name')?.user))
 */
export function locks<Info = JsonValue>(client: Pick<RealtimeClient, 'internals'>, prefix: string): Locks<Info>
export function locks({ internals }: Pick<RealtimeClient, 'internals'>, prefix: string): Locks<unknown> {
  assertName((name) => typeof name === 'string' && name.endsWith(':') && isKey(name.slice(0, -1)), prefix, 'INVALID_KEY')
  if (internals.isClosed()) throw new RealtimeError('CLOSED')
  const watch = lockRegistryOf(internals).watch(prefix, () => show(watch.view().holders))
  const { observable, show } = createObservable(watch.view().holders, internals.onThrow)
  return Object.assign(observable, { prefix, dispose: watch.end })
}
