import { isKey, matchesChannel, RealtimeError } from '@tutti/protocol'
import type { LogHistory, LogPage, LogPosition, LogRecord, LogSubscription } from './log-contract.ts'

/** What a read found. */
export interface FoundRecords {
  /** The lifetime and the last offset of the log. */
  readonly head: LogPosition
  readonly records: readonly LogRecord[]
}

/**
 * Whether records are missing after a position. Each record names the one before it, so a position is intact only if the next
 * record follows it, or if it is the end of the log. That covers trimming, another lifetime, and records that a failover lost.
 */
export function pageOf({ head, records }: FoundRecords, after: LogPosition | undefined): LogPage {
  const from = records[0]?.previous ?? head.offset
  const hasGap = after === undefined ? from !== head.epoch : after.epoch !== head.epoch || after.offset !== from
  return { epoch: head.epoch, records, from, last: head.offset, hasGap }
}

/** A page of history. `first` is the oldest record in the log. */
export function historyOf({ head, records }: FoundRecords, first: LogRecord | undefined, before: LogPosition | undefined): LogHistory {
  const [oldest] = records
  const isLost = before !== undefined && (before.epoch !== head.epoch || (first !== undefined && before.offset < first.offset))
  const hasGap = isLost && !(before.epoch === head.epoch && before.offset === head.epoch)
  return {
    epoch: head.epoch,
    records: hasGap ? [] : records,
    hasMore: oldest !== undefined && first !== undefined && oldest.offset > first.offset,
    hasGap,
  }
}

/** The name itself, or throws `INVALID_CHANNEL` where the logs of the pattern do not include it. */
export function parseLogName(pattern: string, name: string): string {
  if (isKey(name) && matchesChannel(pattern, name)) return name
  throw new RealtimeError('INVALID_CHANNEL', { message: `Invalid channel ${JSON.stringify(name)}: these logs are those of ${pattern}.` })
}

/** Appends are refused: a group is too far behind. */
export const backlogFull = (name: string, maxBacklog: number): RealtimeError =>
  new RealtimeError('BACKLOG_FULL', {
    message: `Not appended to ${name}: a group of workers is ${maxBacklog} records behind (maxBacklog).`,
    retryAfterMs: 1_000,
  })

/** A subscription without anything to wait for, or with a promise of its own. */
export const logSubscription = (stop: () => void, ready: Promise<void> = Promise.resolve()): LogSubscription =>
  Object.assign(() => stop(), { ready })
