import type { LiveDocument } from '../live-document.ts'
import { createDocumentWriter, type DocumentWriterOptions, type WriteResult } from './document-writer.ts'

/** Failures of one document, while others succeed, until it is reported (D5). */
const MAX_FAILURES = 3

/** Storing takes at most this share of the time of the instance. */
const BUSY_SHARE = 0.1

/** How many times as long as configured the interval becomes at most: one very slow write must not delay the next by minutes. */
const MAX_INTERVAL_FACTOR = 20

/** How much longer other instances wait than the one whose update it is. */
const OTHERS_FACTOR = 4

/** The longest time of a timer, milliseconds. */
const MAX_TIMER_MS = 2_147_483_647

/** A document whose writes the database refuses, while it accepts others. */
export interface FailingDocument {
  readonly id: string
  /** Of the last attempt. */
  readonly error: Error
  readonly failures: number
  /** The time of the first failure. */
  readonly since: Date
}

/** Writes what is in the logs to the database, in batches of many documents (D4). */
export interface StoreTask {
  /** The document has changed. `isOwn`: by an update of this instance. Other instances follow only if that one does not store it. */
  changed(document: LiveDocument, isOwn: boolean): void
  /** Settles when the document was written with a snapshot, or this failed: it then remains in the task, see `hasUnstored`. */
  flush(document: LiveDocument): Promise<void>
  /** The document is closed. */
  forget(document: LiveDocument): void
  /** Documents that are reported as failing (D5), by id. */
  readonly failing: ReadonlyMap<string, FailingDocument>
  /** Stores what is left. */
  close(): Promise<void>
}

/** What the task needs. */
export interface StoreTaskOptions extends DocumentWriterOptions {
  intervalMs: number
  retryMs: number
  /** Documents that are stored up to a new offset, or have begun or ceased to fail. */
  onStored: (documents: readonly LiveDocument[]) => void
}

/** A document that is to be written. */
interface Planned {
  /** When, on the monotonic clock. */
  dueMs: number
  failures: number
  since: Date
}

/** Until the next write, after one that took `tookMs`. */
export const nextIntervalMs = (intervalMs: number, tookMs: number): number =>
  Math.min(Math.max(intervalMs, tookMs / BUSY_SHARE), intervalMs * MAX_INTERVAL_FACTOR)

/** Makes the task of one instance. */
export function createStoreTask(options: StoreTaskOptions): StoreTask {
  const { intervalMs, retryMs, onStored, onError } = options
  const writer = createDocumentWriter(options)
  const planned = new Map<LiveDocument, Planned>()
  const failing = new Map<string, FailingDocument>()
  let timer: NodeJS.Timeout | undefined
  /** When the timer ends, on the monotonic clock. */
  let timerAtMs = Infinity
  /** Rounds run one after another. */
  let last: Promise<void> = Promise.resolve()
  let isRunning = false
  /** The database is not available until then. */
  let pausedUntilMs = 0
  /** All documents of a round failed, which was reported. */
  let hasAlarm = false
  let waitMs = intervalMs
  let isClosed = false

  const planOf = (document: LiveDocument): Planned => {
    const found = planned.get(document) ?? { dueMs: Infinity, failures: 0, since: new Date() }
    planned.set(document, found)
    return found
  }
  /** The task runs at this time, or earlier. */
  const scheduleAt = (dueMs: number): void => {
    if (isRunning || isClosed || dueMs === Infinity) return
    const atMs = Math.max(dueMs, pausedUntilMs)
    if (timer !== undefined && timerAtMs <= atMs) return
    clearTimeout(timer)
    timerAtMs = atMs
    timer = setTimeout(start, Math.min(MAX_TIMER_MS, Math.max(0, atMs - performance.now())))
  }
  const schedule = (): void => scheduleAt([...planned.values()].reduce((min, { dueMs }) => Math.min(min, dueMs), Infinity))
  const start = (): void => {
    timer = undefined
    const now = performance.now()
    const due = [...planned].flatMap(([document, { dueMs }]) => (dueMs <= now ? [document] : []))
    // The document was closed, or the timer ended too early.
    if (due.length === 0) return schedule()
    isRunning = true
    void run(due, false).then(() => {
      isRunning = false
      schedule()
    })
  }
  const run = (documents: readonly LiveDocument[], isLast: boolean): Promise<void> =>
    (last = last.then(() => writeRound(documents, isLast)).catch((error: unknown) => onError(error, '')))

  const failed = (document: LiveDocument, error: Error): boolean => {
    const plan = planOf(document)
    if (plan.failures === 0) plan.since = new Date()
    plan.failures += 1
    plan.dueMs = performance.now() + (plan.failures < MAX_FAILURES ? waitMs : retryMs)
    if (plan.failures < MAX_FAILURES) return false
    failing.set(document.id, { id: document.id, error, failures: plan.failures, since: plan.since })
    if (plan.failures > MAX_FAILURES) return false
    onError(error, document.id)
    return true
  }
  /** Nothing of a round could be stored: what fails is the database, and no document is counted as failing. */
  const allFailed = (result: WriteResult): void => {
    const [error] = result.failed.values()
    if (!hasAlarm) onError(error, '')
    hasAlarm = true
    for (const document of result.failed.keys()) planOf(document).dueMs = performance.now() + Math.max(waitMs, retryMs / 10)
  }
  const settle = (document: LiveDocument): void => {
    const plan = planOf(document)
    plan.failures = 0
    const dueMs = document.hasUnstored ? 0 : writer.snapshotDueMs(document)
    if (dueMs === undefined) planned.delete(document)
    else plan.dueMs = Math.max(dueMs, performance.now() + waitMs)
  }
  const writeRound = async (documents: readonly LiveDocument[], isLast: boolean): Promise<void> => {
    const startMs = performance.now()
    const result = await writer.write(documents, isLast)
    const { stored, failed: refused, outage } = result
    const now = performance.now()
    // A slow database gets larger batches.
    if (outage === undefined) waitMs = nextIntervalMs(intervalMs, now - startMs)
    else pausedUntilMs = now + (outage.retryAfterMs ?? waitMs)
    const news = new Set(stored)
    if (refused.size > 1 && stored.length === 0) allFailed(result)
    else {
      if (stored.length > 0) hasAlarm = false
      for (const [document, error] of refused) if (failed(document, error)) news.add(document)
    }
    for (const document of outage === undefined ? documents : stored) {
      if (refused.has(document)) continue
      if (failing.delete(document.id)) news.add(document)
      settle(document)
    }
    if (news.size > 0) onStored([...news])
  }

  return {
    failing,
    changed: (document, isOwn) => {
      const isNew = !planned.has(document)
      const plan = planOf(document)
      const dueMs = performance.now() + waitMs * (isOwn ? 1 : OTHERS_FACTOR)
      // A document that fails has its own time.
      if (plan.failures === 0) plan.dueMs = isNew ? dueMs : Math.min(plan.dueMs, dueMs)
      scheduleAt(plan.dueMs)
    },
    flush: async (document) => {
      if (isClosed) return
      const plan = planOf(document)
      if (plan.failures > 0 && plan.dueMs > performance.now()) return
      plan.dueMs = Math.min(plan.dueMs, performance.now() + waitMs)
      await run([document], true)
      schedule()
    },
    forget: (document) => {
      planned.delete(document)
      failing.delete(document.id)
    },
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      const documents = [...planned.keys()]
      await run(documents, false)
      await run(documents, true)
    },
  }
}
