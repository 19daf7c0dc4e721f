import { setTimeout as wait } from 'node:timers/promises'
import { createWorkers, type Logs, type WorkerHandler, type WorkerOptions, type WorkerRecord, type Workers } from '@tutti/coordination/logs'

/** Options of `createCoalescingWorker`. */
export interface CoalescingOptions extends Omit<WorkerOptions, 'concurrency'> {
  logs: Logs
  /** How long records are collected, milliseconds. @default 500 */
  everyMs?: number
  /** Writes the records in one transaction, all or none. It may be called again for records that it has already written. */
  write: (records: readonly WorkerRecord[]) => Promise<void>
  /** Whether an error of `write` concerns the database and not the records: then they wait, and have not failed. */
  isOutage: (error: unknown) => boolean
}

interface Batch {
  readonly records: WorkerRecord[]
  readonly written: Promise<void>
}

/** Writes the records of a group in batches: those of each interval in one transaction. */
export function createCoalescingWorker({ logs, everyMs = 500, write, isOutage, ...options }: CoalescingOptions): Workers {
  let current: Batch | undefined

  const open = (): Batch => {
    const records: WorkerRecord[] = []
    const writeAll = async (): Promise<void> => {
      await wait(everyMs)
      current = undefined
      await write(records)
    }
    return { records, written: writeAll() }
  }
  const handler: WorkerHandler = async (record, { signal }) => {
    current ??= open()
    current.records.push(record)
    let error: unknown
    try {
      return await current.written
    } catch (cause) {
      error = cause
    }
    while (isOutage(error) && !signal.aborted) {
      await wait(everyMs)
      try {
        return await write([record])
      } catch (cause) {
        error = cause
      }
    }
    // One record that cannot be written must not fail the others of its batch.
    return write([record])
  }
  return createWorkers(logs, { ...options, concurrency: 1_000 }, handler)
}
