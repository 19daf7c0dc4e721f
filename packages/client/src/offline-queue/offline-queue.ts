/// <reference lib="dom" />
import { RealtimeError } from '@tutti/protocol'
import { parseOptions, text, wholeNumber, type OptionRows } from '@tutti/protocol/internal'
import type { OfflineQueue } from '../state/pending-change-store.ts'
import { fromStored, toStored, withEarlier, type StoredChange } from './stored-change.ts'
import type { ChangeDatabase } from './change-database.ts'
import { createDatabaseAccess, IN_MEMORY, lockOf } from './database-access.ts'

/** Options of `createOfflineQueue`. */
export interface OfflineQueueOptions {
  /**
   * Name of the database. Use a different name for each user, so that no user sends the changes of another.
   *
   * @default 'tutti'
   */
  name?: string | undefined
  /**
   * How long to wait for the storage before each connect and each change, milliseconds; less than the client's
   * `requestTimeoutMs`.
   *
   * @default 3_000
   */
  timeoutMs?: number | undefined
}

const OPTIONS = { name: text('tutti'), timeoutMs: wholeNumber(1, 3_000) } satisfies OptionRows<OfflineQueueOptions>

/**
 * The option `offlineQueue` of a client: unconfirmed changes are stored in IndexedDB, so that a reload or crash of the page
 * loses none and repeats none. Each client has its own queue and keeps a Web Lock while its page is open; another page
 * takes over the queue of a closed page, at once or when it connects.
 *
 * Without IndexedDB and Web Locks (old browsers, pages that are not on https or localhost) changes are kept in memory only, and
 * `onError` is called once (`UNSUPPORTED`). The same applies while the storage fails or takes longer than `timeoutMs`
 * (`UNAVAILABLE`); once it works again, all unconfirmed changes are stored.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * createRealtimeClient({ offlineQueue: createOfflineQueue({ name: `queue-${userId}` }) })
 */
export function createOfflineQueue(options: OfflineQueueOptions = {}): OfflineQueue {
  const { name, timeoutMs } = parseOptions('createOfflineQueue', OPTIONS, options)
  return (context) => {
    const { clientId, adopt, onError } = context
    if (typeof indexedDB === 'undefined' || !navigator.locks) {
      void done.then(() => onError(new RealtimeError('UNSUPPORTED', { message: `${IN_MEMORY} IndexedDB or Web Locks are not available.` })))
      return { restore: () => done, save: () => done, close: () => {} }
    }
    /** The unconfirmed changes of each key; an empty list where the database may still have some. */
    const rows = new Map<string, readonly StoredChange[]>()
    /** The keys whose row is not yet in the database. */
    const unwritten = new Set<string>()
    let queued: Promise<void> | undefined
    let restored = done
    let closed = false
    /** Clients with open pages and stored changes. */
    const awaited = new Set<string>()
    const ended = new AbortController()

    const access = createDatabaseAccess(context, name, timeoutMs, () => {
      for (const key of rows.keys()) unwritten.add(key)
      void flush()
    })

    /** One transaction for everything that is saved until it runs. */
    const flush = (): Promise<void> => (unwritten.size > 0 ? (queued ??= access.inTime(access.run(write)).then(leaveQueue)) : done)

    const leaveQueue = (): void => {
      queued = undefined
    }

    const write = async (store: ChangeDatabase): Promise<void> => {
      const taken = await store.write(clientId, () => {
        leaveQueue()
        return [...unwritten].map((key) => [key, rows.get(key) ?? []])
      })
      for (const [key, changes] of taken) {
        if (rows.get(key) !== changes) continue
        unwritten.delete(key)
        if (changes.length === 0) rows.delete(key)
      }
      if (unwritten.size === 0) access.failing = false
    }

    /** Under the lock of the client, so that each move happens once. */
    const adoptFrom = async (store: ChangeDatabase, client: string): Promise<void> => {
      if (closed) return
      for (const [key, changes] of await store.move(client, clientId)) {
        const earlier = changes.map((change) => fromStored(change, onError))
        adopt(key, (pending) => withEarlier(pending, earlier))
      }
    }

    /** Takes over the changes of an open page when it is closed, unless another page does first. */
    const awaitEnd = (client: string): void => {
      if (awaited.has(client)) return
      awaited.add(client)
      const adoptLater = (): Promise<void> => {
        awaited.delete(client)
        return access.inTime(access.run((store) => adoptFrom(store, client)))
      }
      void navigator.locks.request(lockOf(name, client), { signal: ended.signal }, adoptLater).catch(() => awaited.delete(client))
    }

    /** Takes over the changes of clients whose pages are gone. Several may run at a time. */
    const adoptAll = async (store: ChangeDatabase): Promise<void> => {
      for (const client of await store.clients()) {
        if (client === clientId) continue
        await navigator.locks.request(lockOf(name, client), { ifAvailable: true }, (lock) =>
          lock ? adoptFrom(store, client) : awaitEnd(client),
        )
      }
      await write(store)
    }

    const restore = (): Promise<void> => {
      restored = restored.then(() => access.inTime(access.run(adoptAll)))
      // It may wait for the one before, so it needs its own limit.
      return access.inTime(restored)
    }
    // Shown at once, also without a network.
    void restore()

    return {
      restore,
      save: (key, pending) => {
        const changes = toStored(pending, clientId)
        if (closed || (changes.length === 0 && !rows.has(key))) return done
        rows.set(key, changes)
        unwritten.add(key)
        const flushed = flush()
        return access.failing ? done : flushed
      },
      close: () => {
        closed = true
        ended.abort()
        const end = (): void => {
          // A write that runs later would store again what another page has taken over.
          rows.clear()
          unwritten.clear()
          access.release()
        }
        // Another page must not take the changes over before all are written.
        void (unwritten.size > 0 ? access.run(write) : done).then(end, end)
      },
    }
  }
}

const done = Promise.resolve()
