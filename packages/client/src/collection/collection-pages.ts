import { fromWireError, type Entry, type RealtimeError } from '@tutti/protocol'
import { compareKeys, mayRepeat } from '@tutti/protocol/internal'
import { createRetry, type RetryContext } from '../connection/retry.ts'
import type { CollectionRecords } from './collection-records.ts'
import type { Connection } from '../connection/connection-contract.ts'
import { inBatches } from '../connection/batches.ts'

/** Dependencies of the pages. */
export interface CollectionPagesOptions extends RetryContext {
  connection: Connection
  prefix: string
  /** Entries to load. */
  limit: number
  records: CollectionRecords
  onChange: () => void
}

/** The pages of a collection: loaded one after the other, and again after each reconnect. */
export interface CollectionPages {
  /** Not all entries are loaded. */
  readonly loading: boolean
  readonly hasMore: boolean
  /** Why the prefix cannot be read. */
  readonly refused: RealtimeError | undefined
  loadMore(count: number): void
  dispose(): void
}

/** The number of uses of each prefix on a connection: the last one to be disposed of ends the subscription (S15). */
const uses = new WeakMap<Connection, Map<string, number>>()

/** Creates the pages, and begins to request them. */
export function createCollectionPages(options: CollectionPagesOptions): CollectionPages {
  const { connection, prefix, records, onChange } = options
  const counts = uses.get(connection) ?? new Map<string, number>()
  uses.set(connection, counts.set(prefix, (counts.get(prefix) ?? 0) + 1))
  const retry = createRetry(options)
  let { limit } = options
  /** The last loaded key: '' for nothing, `undefined` for all. */
  let loadedTo = records.listedTo
  /** The last key requested on this connection, likewise. */
  let requestedTo: string | undefined = ''
  let isRequesting = false
  let loaded = loadedTo !== ''
  let epoch = 0
  let refused: RealtimeError | undefined
  let disposed = false
  const isUpTo = (key: string, end: string | undefined): boolean => end === undefined || compareKeys(key, end) <= 0
  records.isLoaded = (key) => isUpTo(key, loadedTo)
  records.start()

  const isDone = (): boolean =>
    requestedTo === undefined || (requestedTo !== '' && records.items().filter(({ key }) => isUpTo(key, requestedTo)).length >= limit)

  const requestPage = (): void => {
    if (disposed || isRequesting || retry.waiting || !connection.up || refused || isDone()) return
    isRequesting = true
    const mine = epoch
    const before = new Map(records.states().filter(([key]) => !isUpTo(key, requestedTo)))
    const known = [...before.keys()].filter((key) => before.get(key)?.confirmed)
    // Measured with the longest version there is.
    const [names = []] = inBatches(known, (key) => ({ [key]: Number.MAX_SAFE_INTEGER }), connection.limits)
    const versions = Object.fromEntries(names.map((key) => [key, before.get(key)?.confirmed?.version ?? 0]))
    connection.request('storage:subscribe', { prefix, versions, after: requestedTo || undefined }, ({ result, error }) => {
      if (mine !== epoch) return
      isRequesting = false
      if (error) {
        if (mayRepeat(error)) retry.plan(requestPage, error.retryAfterMs)
        else refused = error
        return onChange()
      }
      retry.reset()
      requestedTo = result.after
      const entries = new Map(result.entries.map((entry): [string, Entry] => [entry.key, entry]))
      for (const [key, { confirmed }] of before) {
        // A known entry that is absent from the reply is unchanged (C2), any other was removed or never existed.
        if (entries.has(key) || key in versions || !isUpTo(key, requestedTo)) continue
        entries.set(key, { key, version: confirmed?.version ?? 0, removed: true })
      }
      if (requestedTo === undefined || !isUpTo(requestedTo, loadedTo)) loadedTo = requestedTo
      records.take(entries.values(), before)
      if (isDone()) end()
      requestPage()
      onChange()
    })
  }

  /** All requested entries have arrived; entries beyond them belong to no page. */
  const end = (): void => {
    loadedTo = requestedTo
    loaded = true
    records.trim()
  }

  const detach = connection.attach({
    onUp: () => {
      refused = undefined
      requestedTo = ''
      requestPage()
    },
    onDown: () => {
      epoch++
      isRequesting = false
      retry.reset()
    },
    'storage:updated': (update) => {
      if (update.key.startsWith(prefix)) records.receive(update)
    },
    'server:revoked': ({ target, error }) => {
      if (!('prefix' in target) || target.prefix !== prefix) return
      refused = fromWireError(error)
      onChange()
    },
  })
  queueMicrotask(requestPage)

  return {
    get loading() {
      return !refused && !loaded
    },
    get hasMore() {
      return loaded && loadedTo !== undefined
    },
    get refused() {
      return refused
    },
    loadMore: (count) => {
      limit = Math.max(limit, records.items().length) + count
      requestPage()
      onChange()
    },
    dispose: () => {
      disposed = true
      epoch++
      detach()
      retry.reset()
      const rest = (counts.get(prefix) ?? 1) - 1
      counts.set(prefix, rest)
      if (rest === 0 && connection.up) connection.request('storage:unsubscribe', { prefix }, () => {})
    },
  }
}
