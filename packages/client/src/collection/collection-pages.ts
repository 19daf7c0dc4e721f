import { compareKeys, fromWireError, type Entry, type RealtimeError } from '@tutti/protocol'
import { createRetry, type RetryContext } from '../connection/retry.ts'
import type { CollectionRecords } from './collection-records.ts'
import type { Connection } from '../connection/connection-contract.ts'
import { inBatches } from '../connection/batches.ts'

/** What the pages need. */
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
  /** Not all is here that will be. */
  readonly loading: boolean
  readonly hasMore: boolean
  /** Why the prefix can't be read. */
  readonly refused: RealtimeError | undefined
  loadMore(count: number): void
  dispose(): void
}

/** How often each prefix is subscribed on a connection: the last to go ends it (S15). */
const uses = new WeakMap<Connection, Map<string, number>>()

/** Makes the pages, and begins to ask for them. */
export function createCollectionPages(options: CollectionPagesOptions): CollectionPages {
  const { connection, prefix, records, onChange } = options
  const counts = uses.get(connection) ?? new Map<string, number>()
  uses.set(connection, counts.set(prefix, (counts.get(prefix) ?? 0) + 1))
  const retry = createRetry(options)
  let { limit } = options
  /** What was loaded ends with this key: '' for nothing, `undefined` for all. */
  let loadedTo = records.listedTo
  /** What was asked for in this connection ends with this key, likewise. */
  let askedTo: string | undefined = ''
  let asking = false
  let loaded = loadedTo !== ''
  let epoch = 0
  let refused: RealtimeError | undefined
  const isUpTo = (key: string, end: string | undefined): boolean => end === undefined || compareKeys(key, end) <= 0
  records.isLoaded = (key) => isUpTo(key, loadedTo)
  records.start()

  const isDone = (): boolean =>
    askedTo === undefined || (askedTo !== '' && records.items().filter(({ key }) => isUpTo(key, askedTo)).length >= limit)

  const ask = (): void => {
    if (asking || retry.waiting || !connection.up || refused || isDone()) return
    asking = true
    const mine = epoch
    const asked = new Map(records.states().filter(([key]) => !isUpTo(key, askedTo)))
    const known = [...asked.keys()].filter((key) => asked.get(key)?.confirmed)
    // Measured with the longest version there is.
    const [names = []] = inBatches(known, (key) => ({ [key]: Number.MAX_SAFE_INTEGER }), connection.limits)
    const versions = Object.fromEntries(names.map((key) => [key, asked.get(key)?.confirmed?.version ?? 0]))
    connection.request('storage:subscribe', { prefix, versions, after: askedTo || undefined }, ({ result, error }) => {
      if (mine !== epoch) return
      asking = false
      if (error) {
        if (error.retryable) retry.plan(ask, error.retryAfterMs)
        else refused = error
        return onChange()
      }
      retry.reset()
      askedTo = result.after
      const told = new Map(result.entries.map((entry): [string, Entry] => [entry.key, entry]))
      for (const [key, { confirmed }] of asked) {
        // Unchanged where it was named (C2), else gone, or never there.
        if (told.has(key) || key in versions || !isUpTo(key, askedTo)) continue
        told.set(key, { key, version: confirmed?.version ?? 0, removed: true })
      }
      if (askedTo === undefined || !isUpTo(askedTo, loadedTo)) loadedTo = askedTo
      records.take(told.values(), asked)
      if (isDone()) end()
      ask()
      onChange()
    })
  }

  /** All that was wanted is here: what is beyond it is nobody's. */
  const end = (): void => {
    loadedTo = askedTo
    loaded = true
    records.trim()
  }

  const undo = connection.attach({
    onUp: () => {
      refused = undefined
      askedTo = ''
      ask()
    },
    onDown: () => {
      epoch++
      asking = false
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
  queueMicrotask(ask)

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
      ask()
      onChange()
    },
    dispose: () => {
      epoch++
      undo()
      retry.reset()
      const rest = (counts.get(prefix) ?? 1) - 1
      counts.set(prefix, rest)
      if (rest === 0 && connection.up) connection.request('storage:unsubscribe', { prefix }, () => {})
    },
  }
}
