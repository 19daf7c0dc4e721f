import { jsonCopy, RealtimeError, type JsonValue } from '@tutti/protocol'
import { anything, flag, oneOf, parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import type { Clock } from '../connection/clock.ts'
import { markHandled, settledBy } from '../mark-handled.ts'
import { createObservable } from '../observable.ts'
import { patchOf, runUpdate, type Change } from './change.ts'
import { isSameJson, keepReferences } from './keep-references.ts'
import type { KeyRegistry } from './key-registry.ts'
import { appendChange, withChanges, type PendingChange } from './key-state.ts'
import type { StateHandle, StateOptions, StateSnapshot } from './state-contract.ts'

/** Dependencies of a handle. */
export interface HandleContext {
  keys: KeyRegistry
  clock: Clock
  onThrow: (error: unknown) => void
}

const OPTIONS = {
  default: anything,
  strategy: oneOf(['immediate', 'debounced', 'manual'], 'immediate'),
  debounceMs: wholeNumber(0, 200),
  onlyIfUnchanged: flag(false),
  lock: anything,
} satisfies OptionRows<StateOptions<unknown>>

/** Creates a handle. Values inside are JSON; the application declares the type parameters of `StateHandle`. */
export function createStateHandle(key: string, options: StateOptions<unknown>, context: HandleContext): StateHandle<unknown> {
  const { keys, clock } = context
  const { strategy, debounceMs, onlyIfUnchanged, lock, default: fallback } = parseOptions('state', OPTIONS, options)
  const initial = fallback === undefined ? undefined : jsonCopy(fallback)
  /** Changes of a manual handle, which no other handle shows before `sync()` (S16). */
  let drafts: readonly PendingChange[] = []
  let error: Error | undefined
  let disposed = false
  let cancelDebounce: (() => void) | undefined
  let value: JsonValue | undefined
  const open = new Set<Promise<void>>()

  const snapshot = (): StateSnapshot<unknown> => {
    const { state, shown, refused } = record
    const stored = withChanges(shown, drafts)
    const next = stored === undefined ? initial : stored
    // An equal value stays the same object.
    if (!isSameJson(value, next)) value = next
    return {
      value,
      loading: !state.confirmed && !refused,
      pending: state.pending.length > 0,
      error: error ?? refused,
      version: state.confirmed?.version,
      isDirty: drafts.length > 0 || Boolean(cancelDebounce),
    }
  }
  /** Computes the snapshot again; it stays the same object if no property differs. */
  const refresh = (): void => show(keepReferences(observable.current, snapshot()))

  const user = { changed: refresh, dispose: (): void => handle.dispose() }
  const record = keys.use(key, user)
  const { observable, show } = createObservable(snapshot(), context.onThrow)

  /** Creates a change. The promise reports its outcome (S13) and may be ignored, because `error` contains it too. */
  const submit = (make: () => Change): Promise<void> => {
    const promise = new Promise<void>((resolve, reject) => {
      if (disposed) throw new RealtimeError('CLOSED')
      error = undefined
      const settle = (reason?: unknown): void => {
        if (reason === undefined) return resolve()
        error = reason instanceof Error ? reason : new RealtimeError('INTERNAL', { cause: reason })
        reject(error)
      }
      try {
        if (lock && !lock.binding)
          throw new RealtimeError('LOCK_LOST', { message: 'Not changed: this client does not have the lock of the handle.' })
        const change: PendingChange = { change: make(), deferred: strategy === 'debounced', waiters: [settle], lock: lock?.binding }
        if (strategy === 'manual') drafts = appendChange(drafts, change)
        else keys.add(record, change)
        if (change.deferred) {
          cancelDebounce?.()
          cancelDebounce = clock.after(debounceMs, flush)
        }
      } catch (reason) {
        settle(reason)
      }
      refresh()
    })
    const end = (): void => void open.delete(promise)
    open.add(promise)
    // Handles a rejection too: the caller need not.
    void promise.then(end, end)
    return promise
  }

  /** Sends the waiting changes. */
  const flush = (): void => {
    cancelDebounce?.()
    cancelDebounce = undefined
    const ready = drafts
    drafts = []
    for (const draft of ready) {
      try {
        keys.add(record, draft)
      } catch (reason) {
        for (const settle of draft.waiters) settle(reason)
      }
    }
    keys.release(record)
    refresh()
  }

  const set = (value: JsonValue | undefined): Change => {
    if (!onlyIfUnchanged) return { op: 'set', value }
    // A change on top of an unconfirmed one was made without knowledge of other clients' writes before that.
    const before = [...record.state.pending, ...drafts].at(-1)?.change
    const seen = before?.op === 'set' ? before.ifVersion : undefined
    return { op: 'set', value, ifVersion: seen ?? record.state.confirmed?.version ?? 0 }
  }

  // The observable itself, with the operations added.
  const handle: StateHandle<unknown> = Object.assign(observable, {
    key,
    set: (value: unknown) => submit(() => set(jsonCopy(value))),
    remove: () => submit(() => set(undefined)),
    increment: (by = 1) =>
      submit(() => {
        const sum = jsonCopy(by)
        if (typeof sum !== 'number') throw new RealtimeError('INVALID_VALUE', { message: 'increment() requires a number.' })
        return { op: 'increment', by: sum, initial: typeof initial === 'number' ? initial : 0 }
      }),
    patch: (patch: unknown) => submit(() => patchOf(patch)),
    update: (run: (value: unknown) => unknown) =>
      submit(() => {
        const change: Change = { op: 'update', run: (value) => run(value === undefined ? initial : value) }
        // An error on the value that is shown is reported at once.
        if (record.state.confirmed) runUpdate(change.run, withChanges(record.shown, drafts))
        return change
      }),
    refresh: () =>
      settledBy((done) => {
        if (disposed) throw new RealtimeError('CLOSED')
        keys.refresh(record, done)
      }),
    sync: () => {
      flush()
      return markHandled(Promise.all(open).then(() => {}))
    },
    dispose: () => {
      if (disposed) return
      flush()
      disposed = true
      keys.leave(record, user)
    },
  })
  return handle
}
