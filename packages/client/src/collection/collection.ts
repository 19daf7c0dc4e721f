import { isKey, jsonCopy, RealtimeError, type JsonValue } from '@tutti/protocol'
import { parseOptions, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import { createAddedKeys } from './added-keys.ts'
import { patchOf, type Change } from '../state/change.ts'
import { assertName } from '../assert-name.ts'
import { COLLECTION_DEFAULTS, type Collection, type CollectionOptions, type CollectionSnapshot } from './collection-contract.ts'
import { createCollectionPages } from './collection-pages.ts'
import { createCollectionRecords } from './collection-records.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import { settledBy } from '../mark-handled.ts'
import { createObservable } from '../observable.ts'
import { keepReferences } from '../state/keep-references.ts'

export type { Collection, CollectionItem, CollectionOptions, CollectionSnapshot } from './collection-contract.ts'

const OPTIONS = { limit: wholeNumber(1, COLLECTION_DEFAULTS.limit) } satisfies OptionRows<CollectionOptions>

/**
 * Follows all entries below a prefix (`todos:`). Dispose of it when it is no longer used.
 *
 * @throws {RealtimeError} `INVALID_KEY`, `INVALID_OPTIONS`, `CLOSED`.
 *
 * @example
 * const todos = collection<Todo>(client, 'todos:')
 * todos.subscribe(({ items }) => show(items))
 * todos.add({ title: 'Milk' })
 */
export function collection<T = JsonValue>(
  client: Pick<RealtimeClient, 'internals'>,
  prefix: string,
  options?: CollectionOptions,
): Collection<T>
export function collection(
  client: Pick<RealtimeClient, 'internals'>,
  prefix: string,
  options: CollectionOptions = {},
): Collection<unknown> {
  assertName(() => prefix.endsWith(':') && isKey(prefix.slice(0, -1)), prefix, 'INVALID_KEY')
  const { limit } = parseOptions('collection', OPTIONS, options)
  const { internals } = client
  const { keys, clock, onThrow } = internals
  if (internals.isClosed()) throw new RealtimeError('CLOSED')
  let error: Error | undefined
  let disposed = false

  const records = createCollectionRecords({ keys, prefix, dispose: () => handle.dispose(), onChange: () => refresh() })
  const pages = createCollectionPages({ ...internals, limit, prefix, records, onChange: () => refresh() })
  const snapshot = (): CollectionSnapshot<unknown> => ({
    items: records.items(),
    loading: pages.loading,
    pending: records.isPending(),
    error: error ?? pages.refused,
    hasMore: pages.hasMore,
  })
  const { observable, show } = createObservable(snapshot(), onThrow)
  const refresh = (): void => show(keepReferences(observable.current, snapshot()))

  const submit = (key: string, make: () => Change): Promise<void> =>
    settledBy((done) => {
      if (disposed) throw new RealtimeError('CLOSED')
      error = undefined
      const settle = (reason?: unknown): void => {
        if (reason === undefined) return done()
        error = reason instanceof Error ? reason : new RealtimeError('INTERNAL', { cause: reason })
        done(error)
        refresh()
      }
      try {
        assertName((name) => isKey(name) && key.startsWith(prefix), key, 'INVALID_KEY')
        records.change(key, { change: make(), deferred: false, waiters: [settle] })
      } catch (reason) {
        settle(reason)
      }
      refresh()
    })

  const newKey = createAddedKeys(prefix, clock, records.items)
  const set = (key: string, value: unknown): Promise<void> => submit(key, () => ({ op: 'set', value: jsonCopy(value) }))
  const handle: Collection<unknown> = Object.assign(observable, {
    prefix,
    add: (value: unknown) => {
      const key = newKey()
      void set(key, value)
      return key
    },
    set,
    patch: (key: string, patch: unknown) => submit(key, () => patchOf(patch)),
    update: (key: string, run: (value: unknown) => unknown) => submit(key, () => ({ op: 'update', run })),
    remove: (key: string) => submit(key, () => ({ op: 'set', value: undefined })),
    loadMore: (count = 1_000) => pages.loadMore(count),
    dispose: () => {
      if (disposed) return
      disposed = true
      pages.dispose()
      records.dispose()
    },
  })
  return handle
}
