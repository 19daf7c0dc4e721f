import { RealtimeError } from '@tutti/protocol'
import { createDeferred, createListeners, type Deferred } from '@tutti/protocol/internal'
import type { LogPosition } from '@tutti/coordination/logs'
import { mergeUpdates } from '../crdt.ts'
import type { DocumentStore } from '../store/document-store.ts'
import type { DocumentLogs, UpdateAuthor, UpdateNotice, UpdateRecord } from './document-log.ts'

/** Records of one document that are kept for clients that reconnect. */
const KEPT_RECORDS = 1_000

/** The database has one lifetime. */
const EPOCH = 1

/** What is appended in one transaction to one document. */
interface Batch {
  readonly updates: Uint8Array[]
  readonly authors: UpdateAuthor[]
  readonly settled: Deferred<LogPosition>
}

interface LocalLog {
  readonly document: string
  /** Offset of the last record; `undefined` until it was read from the database. */
  last: number | undefined
  records: UpdateRecord[]
  readonly listeners: ReturnType<typeof createListeners<[UpdateNotice]>>
}

/**
 * Logs of documents on one instance without Redis: the database is the log. Updates that arrive while a transaction runs are
 * merged and stored together in the next one; an update is in the log when its transaction is committed.
 */
export function createStoredDocumentLogs(store: DocumentStore, onError: (error: unknown) => void): DocumentLogs {
  const waiting = new Map<LocalLog, Batch>()
  let isRunning = false

  const lastOf = async (log: LocalLog): Promise<number> => {
    if (log.last !== undefined) return log.last
    await store.create({ id: log.document })
    return (log.last ??= (await store.load(log.document))?.offset ?? 0)
  }
  const recordOf = async (log: LocalLog, { updates, authors }: Batch): Promise<UpdateRecord> => {
    const previous = await lastOf(log)
    const [first = { user: '', connection: '' }] = authors
    const isOne = authors.every(({ connection }) => connection === first.connection)
    const author = isOne ? first : { user: first.user, connection: '' }
    return { epoch: EPOCH, previous, offset: Math.max(previous + 1, Date.now() * 1000), update: mergeUpdates(updates), author }
  }
  const storeAll = async (batches: readonly (readonly [LocalLog, Batch])[]): Promise<void> => {
    const records = await Promise.all(batches.map(([log, batch]) => recordOf(log, batch)))
    const rows = records.map(({ previous, offset, update }, place) => {
      const [log, batch] = batches[place] ?? []
      const authors = [...new Set(batch?.authors.map(({ user }) => user))]
      return { document: log?.document ?? '', previous, offset, bytes: update, authors }
    })
    const stored = await store.append(rows)
    for (const [place, [log, { settled }]] of batches.entries()) {
      const record = records[place]
      if (record === undefined || stored[place] !== true) {
        log.last = undefined
        settled.reject(
          new RealtimeError('UNAVAILABLE', {
            message: `The document ${log.document} was changed by another process: several instances require a \`pubsub\`.`,
          }),
        )
        continue
      }
      log.last = record.offset
      log.records.push(record)
      if (log.records.length > KEPT_RECORDS) log.records = log.records.slice(-KEPT_RECORDS / 2)
      settled.resolve({ epoch: EPOCH, offset: record.offset })
      log.listeners.emit(record)
    }
  }
  const run = async (): Promise<void> => {
    isRunning = true
    while (waiting.size > 0) {
      const batches = [...waiting]
      waiting.clear()
      await storeOrReject(batches)
    }
    isRunning = false
  }
  /** One at a time where all together failed, so that one that fails does not harm the others. */
  const storeOrReject = async (batches: readonly (readonly [LocalLog, Batch])[]): Promise<void> => {
    try {
      await storeAll(batches)
    } catch (error) {
      for (const [log] of batches) log.last = undefined
      const isOutage = error instanceof RealtimeError && error.code === 'UNAVAILABLE'
      if (batches.length === 1 || isOutage) for (const [, { settled }] of batches) settled.reject(error)
      else for (const batch of batches) await storeOrReject([batch])
    }
  }

  return {
    isStored: true,
    open: (document) => {
      const log: LocalLog = { document, last: undefined, records: [], listeners: createListeners<[UpdateNotice]>(onError) }
      return {
        head: async () => ({ epoch: EPOCH, offset: await lastOf(log) }),
        append: (update, author) => {
          const batch = waiting.get(log) ?? { updates: [], authors: [], settled: createDeferred<LogPosition>() }
          waiting.set(log, batch)
          batch.updates.push(update)
          batch.authors.push(author)
          if (!isRunning) void run()
          return batch.settled.promise
        },
        read: async (after) => {
          const last = await lastOf(log)
          const records = log.records.filter(({ offset }) => offset > after.offset)
          const from = records[0]?.previous ?? last
          return { epoch: EPOCH, records, from, last, hasGap: after.epoch !== EPOCH || from !== after.offset }
        },
        trim: async () => {},
        onAppend: (listener) => Object.assign(log.listeners.add(listener), { ready: Promise.resolve() }),
        onGap: () => () => {},
        close: async () => log.listeners.clear(),
      }
    },
  }
}
