import { anything, flag, jsonCopy, oneOf, parseOptions, RealtimeError, wholeNumber, type JsonValue, type OptionRows } from '@tutti/protocol'
import { applyChange, patchOf, runUpdate, type Change } from './change.ts'
import type { Clock } from '../connection/clock.ts'
import { markHandled, settledBy } from '../mark-handled.ts'
import { appendChange, type PendingChange } from './key-state.ts'
import type { StateHandle, StateOptions, StateSnapshot } from './state-contract.ts'
import type { KeyRegistry } from './key-registry.ts'
import { keepIfSame, keepReferences } from './keep-references.ts'
import { createObservable } from '../observable.ts'

/** What a handle needs of its client. */
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
} satisfies OptionRows<StateOptions<unknown>>

const gone = (): RealtimeError => new RealtimeError('CLOSED')

/** Makes a handle. Values inside are JSON; the type parameters of `StateHandle` are the application's word for them. */
export function createStateHandle(key: string, options: StateOptions<unknown>, context: HandleContext): StateHandle<unknown> {
  const { keys, clock } = context
  const { strategy, debounceMs, onlyIfUnchanged, default: fallback } = parseOptions('state', OPTIONS, options)
  const initial = fallback === undefined ? undefined : jsonCopy(fallback)
  /** Changes of a manual handle, which nobody else sees before `sync()` (S16). */
  let drafts: readonly PendingChange[] = []
  let error: Error | undefined
  let disposed = false
  let cancelDebounce: (() => void) | undefined
  const open = new Set<Promise<void>>()

  const user = { changed: (): void => refresh(), dispose: (): void => handle.dispose() }
  const record = keys.use(key, user)
  const storedValue = (): JsonValue | undefined => drafts.reduce((value, { change }) => applyChange(value, change), record.shown)
  let value: JsonValue | undefined
  const look = (): StateSnapshot<unknown> => {
    const { confirmed, pending } = record.state
    const stored = storedValue()
    value = keepIfSame(value, stored === undefined ? initial : stored)
    return {
      value,
      loading: !confirmed && !record.refused,
      pending: pending.length > 0,
      error: error ?? record.refused,
      version: confirmed?.version,
      isDirty: drafts.length > 0 || Boolean(cancelDebounce),
    }
  }
  const { observable, show } = createObservable(look(), context.onThrow)
  /** Looks again; where nothing differs the snapshot stays the same object, and so does a value that is equal. */
  const refresh = (): void => show(keepReferences(observable.current, look()))

  /** Takes a change up; the promise tells how it ended (S13) and may be ignored, for `error` says the same. */
  const submit = (make: () => Change): Promise<void> => {
    const promise = settledBy((done) => {
      if (disposed) throw gone()
      error = undefined
      const settle = (reason?: unknown): void => {
        if (reason === undefined) return done()
        error = reason instanceof Error ? reason : new RealtimeError('INTERNAL', { cause: reason })
        done(error)
      }
      try {
        take({ change: make(), held: strategy === 'debounced', waiters: [settle] })
      } catch (reason) {
        settle(reason)
      }
      refresh()
    })
    open.add(promise)
    void markHandled(promise.finally(() => open.delete(promise)))
    return promise
  }

  const take = (change: PendingChange): void => {
    if (strategy === 'manual') {
      drafts = appendChange(drafts, change)
      return
    }
    keys.add(record, change)
    if (strategy !== 'debounced') return
    cancelDebounce?.()
    cancelDebounce = clock.after(debounceMs, flush)
  }

  /** Sends what was kept back. */
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
    // What lies on an unconfirmed change of one's own has not seen what others wrote beneath it.
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
        if (typeof sum !== 'number') throw new RealtimeError('INVALID_VALUE')
        return { op: 'increment', by: sum, initial: typeof initial === 'number' ? initial : 0 }
      }),
    patch: (patch: unknown) => submit(() => patchOf(patch)),
    update: (run: (value: unknown) => unknown) =>
      submit(() => {
        const change: Change = { op: 'update', run: (value) => run(value === undefined ? initial : value) }
        // What throws on the value that is shown is the caller's mistake, told at once.
        if (record.state.confirmed) runUpdate(change.run, storedValue())
        return change
      }),
    refresh: () =>
      settledBy((done) => {
        if (disposed) throw gone()
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
