import { RealtimeError } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import { mergeUpdates } from '../crdt.ts'
import type { LiveDocument } from '../live-document.ts'
import type { DocumentStore, UpdateBatch } from '../store/document-store.ts'

/** A snapshot is stored where the updates since the last one exceed this share of it. */
const SNAPSHOT_SHARE = 0.25

/** What became of documents that were written. */
export interface WriteResult {
  /** Stored up to a new offset, by this instance or another one. */
  readonly stored: LiveDocument[]
  /** The database refused their writes. */
  readonly failed: Map<LiveDocument, Error>
  /** The database itself is not available: what is neither stored nor failed was not tried. */
  outage: RealtimeError | undefined
}

/** Writes documents to the database: what was appended to their logs, and snapshots (D4). */
export interface DocumentWriter {
  /** Writes many documents in one transaction. `isLast`: with a snapshot of each that has changed since its last one. */
  write(documents: readonly LiveDocument[], isLast: boolean): Promise<WriteResult>
  /** When the next snapshot of a document is due, on the monotonic clock; `undefined` while it has not changed since its last one. */
  snapshotDueMs(document: LiveDocument): number | undefined
}

/** What the writer needs. */
export interface DocumentWriterOptions {
  store: DocumentStore
  snapshotIntervalMs: number
  onError: (error: unknown, document: string) => void
}

/** The last snapshot of a document. */
interface Saved {
  /** Bytes of the snapshot. */
  readonly bytes: number
  /** Size of the document at that time. */
  readonly size: number
  readonly atMs: number
}

interface Batch extends UpdateBatch {
  readonly live: LiveDocument
  readonly epoch: number
}

/** Makes the writer of one instance. The compare-and-set of the database decides where several instances write one document. */
export function createDocumentWriter({ store, snapshotIntervalMs, onError }: DocumentWriterOptions): DocumentWriter {
  const saved = new WeakMap<LiveDocument, Saved>()

  const savedOf = (live: LiveDocument): Saved => {
    const { loadedBytes } = live
    const found = saved.get(live) ?? { bytes: loadedBytes, size: loadedBytes, atMs: performance.now() }
    saved.set(live, found)
    return found
  }
  const batchOf = (live: LiveDocument): Batch | undefined => {
    if (!live.hasUnstored) return undefined
    const records = live.recordsAfter(live.stored)
    const { epoch, offset } = live.position
    const bytes = live.mustStoreAll ? live.replica.encode() : mergeUpdates(records.map(({ update }) => update))
    const authors = [...new Set(records.map(({ author }) => author.user))]
    return { live, epoch, bytes, document: live.id, previous: live.stored, offset, authors }
  }
  /** The log keeps what was not removed now until the next time. */
  const trim = async (live: LiveDocument): Promise<void> => {
    try {
      await live.trim()
    } catch (error) {
      if (!(error instanceof RealtimeError)) onError(error, live.id)
    }
  }
  /** The database has another offset: that of another instance, or an older one after it was restored, or the document was removed. */
  const meet = async (live: LiveDocument): Promise<void> => {
    await store.create({ id: live.id })
    const offset = (await store.load(live.id))?.offset ?? 0
    if (offset < live.stored) live.mustStoreAll = true
    live.stored = offset
    // The updates of the other instance were not received yet.
    if (offset > live.position.offset) await live.check().catch(() => {})
  }
  const append = async (batches: readonly Batch[], result: WriteResult): Promise<void> => {
    const appended = await store.append(batches)
    for (const [place, { live, offset, epoch }] of batches.entries()) {
      if (appended[place] !== true) await meet(live)
      else {
        live.stored = offset
        if (live.position.epoch === epoch) live.mustStoreAll = false
      }
      result.stored.push(live)
    }
  }
  /** One at a time where all together failed, so that one that fails does not harm the others. */
  const appendAll = async (batches: readonly Batch[], result: WriteResult): Promise<void> => {
    try {
      if (batches.length > 0) await append(batches, result)
    } catch (error) {
      if (isOutage(error)) throw error
      for (const batch of batches) await attempt(batch.live, result, () => append([batch], result))
    }
  }
  const attempt = async (live: LiveDocument, result: WriteResult, run: () => Promise<void>): Promise<void> => {
    try {
      await run()
    } catch (error) {
      if (isOutage(error)) throw error
      result.failed.set(live, toError(error))
    }
  }
  /** A snapshot of what is stored. The replica may have more by then, which is harmless: the updates after it change nothing. */
  const saveSnapshot = async (live: LiveDocument): Promise<void> => {
    const { size } = live
    const bytes = live.replica.encode()
    // PostgreSQL stores no NUL in a text.
    const text = live.replica.text().replaceAll('\0', '')
    await store.saveSnapshot({ document: live.id, offset: live.stored, bytes, text })
    saved.set(live, { bytes: bytes.length, size, atMs: performance.now() })
  }
  const snapshotDueMs = (live: LiveDocument): number | undefined => {
    const { bytes, size, atMs } = savedOf(live)
    const growth = live.size - size
    // A replica that lacks updates of another instance is no snapshot of what is stored. They follow as changes.
    if (growth === 0 || live.stored === 0 || live.position.offset < live.stored) return undefined
    return growth > bytes * SNAPSHOT_SHARE ? -Infinity : atMs + snapshotIntervalMs
  }

  return {
    snapshotDueMs,
    write: async (documents, isLast) => {
      const result: WriteResult = { stored: [], failed: new Map(), outage: undefined }
      try {
        await appendAll(
          documents.flatMap((live) => batchOf(live) ?? []),
          result,
        )
        for (const live of documents) {
          const dueMs = snapshotDueMs(live)
          if (dueMs === undefined || result.failed.has(live)) continue
          if (isLast || dueMs <= performance.now()) await attempt(live, result, () => saveSnapshot(live))
        }
      } catch (error) {
        if (!isOutage(error)) throw error
        result.outage = error
      }
      await Promise.all(result.stored.map(trim))
      return result
    },
  }
}

const isOutage = (error: unknown): error is RealtimeError => error instanceof RealtimeError && error.code === 'UNAVAILABLE'
