import { RealtimeError } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import { mergeUpdates } from '../crdt.ts'
import type { LiveDocument } from '../live-document.ts'
import type { DocumentStore, UpdateBatch } from '../store/document-store.ts'

/** Failures of one document, while others succeed, until it is reported (D5). */
const MAX_FAILURES = 3

/** The longest wait while the database is not available, milliseconds. */
const MAX_BACKOFF_MS = 30_000

/** A snapshot is stored where the updates since the last one exceed this share of it. */
const SNAPSHOT_SHARE = 0.25

/** Storing takes at most this share of the time of the instance. */
const BUSY_SHARE = 0.1

/** Writes what is in the logs to the database, in batches of many documents (D4). */
export interface StoreTask {
  /** The document has changed. `isOwn`: by an update of this instance. Other instances follow only if that one does not store it. */
  changed(document: LiveDocument, isOwn: boolean): void
  /** Settles when the document is in the database with a snapshot; rejects with `UNAVAILABLE`. */
  flush(document: LiveDocument): Promise<void>
  /** Documents that the database refuses, with the last error. */
  readonly failing: ReadonlyMap<string, Error>
  /** Stores what is left. */
  close(): Promise<void>
}

/** What the task needs. */
export interface StoreTaskOptions {
  store: DocumentStore
  intervalMs: number
  snapshotIntervalMs: number
  retryMs: number
  /** Documents that are stored up to a new offset, or have begun or ceased to fail. */
  onStored: (documents: readonly LiveDocument[]) => void
  onError: (error: unknown, document: string) => void
}

/** How a document was stored. */
interface Progress {
  /** When it is stored next, on the monotonic clock. */
  dueMs: number
  failures: number
  snapshotBytes: number
  snapshotAtMs: number
  /** Size of the document at its last snapshot. */
  snapshotSize: number
}

interface Batch extends UpdateBatch {
  readonly live: LiveDocument
}

/** How much longer other instances wait than the one whose update it is. */
const OTHERS_FACTOR = 4

/** Makes the task of one instance. The compare-and-set of the database decides where several instances store one document. */
export function createStoreTask(options: StoreTaskOptions): StoreTask {
  const { store, intervalMs, snapshotIntervalMs, retryMs, onStored, onError } = options
  const dirty = new Map<LiveDocument, Progress>()
  const known = new WeakMap<LiveDocument, Progress>()
  const failing = new Map<string, Error>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  /** While it is above 0, the database is not available. */
  let outages = 0
  let waitMs = intervalMs
  let isClosed = false

  const progressOf = (document: LiveDocument): Progress => {
    const found = known.get(document) ?? {
      ...{ dueMs: Infinity, failures: 0, snapshotBytes: 0, snapshotSize: 0 },
      snapshotAtMs: performance.now(),
    }
    known.set(document, found)
    return found
  }
  const schedule = (): void => {
    if (timer !== undefined || running !== undefined || dirty.size === 0 || isClosed) return
    const earliest = Math.min(...[...dirty.values()].map(({ dueMs }) => dueMs))
    const outageMs = outages === 0 ? 0 : Math.min(MAX_BACKOFF_MS, intervalMs * 2 ** outages)
    timer = setTimeout(start, Math.max(0, earliest - performance.now(), outageMs))
  }
  const start = (): void => {
    timer = undefined
    const now = performance.now()
    running = storeAll([...dirty.keys()].filter((document) => progressOf(document).dueMs <= now)).finally(() => {
      // A slow database gets larger batches.
      const tookMs = performance.now() - now
      waitMs = Math.max(intervalMs, tookMs / BUSY_SHARE)
      running = undefined
      schedule()
    })
  }

  const batchOf = (live: LiveDocument): Batch | undefined => {
    const records = live.recordsAfter(live.stored)
    const { offset } = live.position
    if (records.length === 0 && !(live.mustStoreAll && offset > live.stored)) return undefined
    const bytes = live.mustStoreAll ? live.replica.encode() : mergeUpdates(records.map(({ update }) => update))
    const authors = [...new Set(records.map(({ author }) => author.user))]
    return { live, bytes, document: live.id, previous: live.stored, offset, authors }
  }
  /** A snapshot of what is stored. The replica may have more by then, which is harmless: the updates after it change nothing. */
  const saveSnapshot = async (live: LiveDocument, isLast: boolean): Promise<void> => {
    const progress = progressOf(live)
    const growth = live.size - progress.snapshotSize
    const isDue =
      isLast || growth > progress.snapshotBytes * SNAPSHOT_SHARE || performance.now() - progress.snapshotAtMs > snapshotIntervalMs
    if (growth === 0 || !isDue || live.stored === 0) return
    const bytes = live.replica.encode()
    const snapshot = { document: live.id, offset: live.stored, bytes, text: live.replica.text() }
    const { size } = live
    await store.saveSnapshot(snapshot)
    Object.assign(progress, { snapshotBytes: bytes.length, snapshotAtMs: performance.now(), snapshotSize: size })
  }
  const succeeded = ({ live, offset }: Batch): void => {
    live.stored = offset
    live.mustStoreAll = false
    const progress = progressOf(live)
    progress.failures = 0
    failing.delete(live.id)
    progress.dueMs = performance.now() + waitMs
  }
  /** Another instance has stored it: what it stored is read again. */
  const passed = async ({ live }: Batch): Promise<void> => {
    await store.create({ id: live.id })
    live.stored = (await store.load(live.id))?.offset ?? 0
    progressOf(live).dueMs = performance.now()
  }
  const storeBatches = async (batches: readonly Batch[]): Promise<void> => {
    const stored = await store.append(batches)
    for (const [place, batch] of batches.entries()) {
      if (stored[place] !== true) {
        await passed(batch)
        continue
      }
      succeeded(batch)
      await batch.live.trim()
    }
    onStored(batches.map(({ live }) => live))
  }
  const failed = (live: LiveDocument, error: Error): void => {
    const progress = progressOf(live)
    progress.failures += 1
    progress.dueMs = performance.now() + (progress.failures < MAX_FAILURES ? waitMs : retryMs)
    if (progress.failures === MAX_FAILURES) {
      onError(error, live.id)
      failing.set(live.id, error)
      onStored([live])
    }
  }
  const isOutage = (error: unknown): boolean => error instanceof RealtimeError && error.code === 'UNAVAILABLE'
  const storeAll = async (documents: readonly LiveDocument[], isLast = false): Promise<void> => {
    const batches = documents.flatMap((live) => batchOf(live) ?? [])
    const done = documents.filter((live) => batches.every((batch) => batch.live !== live))
    try {
      if (batches.length > 0) await storeBatches(batches)
      for (const live of documents) await saveSnapshot(live, isLast)
      for (const live of done) if (batchOf(live) === undefined) dirty.delete(live)
      outages = 0
    } catch (error) {
      if (!isOutage(error)) return storeEach(batches)
      outages += 1
      if (outages === 1) onError(error, '')
    }
  }
  /** One document at a time, so that one that fails does not harm the others. */
  const storeEach = async (batches: readonly Batch[]): Promise<void> => {
    for (const batch of batches) {
      try {
        await storeBatches([batch])
      } catch (error) {
        failed(batch.live, toError(error))
      }
    }
  }

  return {
    failing,
    changed: (document, isOwn) => {
      const progress = progressOf(document)
      const isNew = !dirty.has(document)
      dirty.set(document, progress)
      const dueMs = performance.now() + waitMs * (isOwn ? 1 : OTHERS_FACTOR)
      progress.dueMs = isNew ? dueMs : Math.min(progress.dueMs, dueMs)
      schedule()
    },
    flush: async (document) => {
      await running
      const batch = batchOf(document)
      if (batch !== undefined) await storeBatches([batch])
      await saveSnapshot(document, true)
      dirty.delete(document)
    },
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      await running
      const documents = [...dirty.keys()]
      await storeAll(documents)
      await storeAll(documents, true)
    },
  }
}
