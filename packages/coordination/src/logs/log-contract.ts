import type { LogGroup } from './group-contract.ts'

/** A place in a log: directly after the record with this offset. */
export interface LogPosition {
  /** One lifetime of the log; another one begins after the log's data was lost. */
  readonly epoch: number
  /** That of a record, or the epoch itself: the start of the log. */
  readonly offset: number
}

/** What is appended. */
export interface NewRecord {
  /** The JSON text of the data. */
  readonly json: string
  /** Names the client that published it; never sent to clients. */
  readonly author?: string | undefined
  /** Its author receives it too. */
  readonly includeSelf?: boolean | undefined
  /** Appended once for each id, as long as the record is in the log. */
  readonly id?: string | undefined
}

/** A record of a log. Offsets grow with the clock of the store, in microseconds, and have no other meaning. */
export interface LogRecord extends NewRecord {
  readonly offset: number
  /** The offset of the record before, or the start of the log. */
  readonly previous: number
}

/** What an append made, or where the record with this id is. */
export interface Appended extends LogPosition {
  /** False where the id was in the log already. */
  readonly isNew: boolean
}

/** The notification of an append. */
export interface AppendNotice extends Omit<LogRecord, 'json' | 'id'>, LogPosition {
  /** The name of the log. */
  readonly log: string
  /** Absent where it is longer than `inlineValueMaxBytes`: read the record. */
  readonly json?: string | undefined
}

/** Records in log order. */
export interface LogPage {
  readonly epoch: number
  readonly records: readonly LogRecord[]
  /** The offset that the first record follows; without records, that of the last one in the log. */
  readonly from: number
  /** The offset of the last record in the log. */
  readonly last: number
  /** Records after the position that was given may be missing. */
  readonly hasGap: boolean
}

/** Records before a position. */
export interface LogHistory {
  readonly epoch: number
  readonly records: readonly LogRecord[]
  /** Older records are in the log. */
  readonly hasMore: boolean
  /** The position is of another lifetime of the log, or before its first record. */
  readonly hasGap: boolean
}

/** An unsubscribe function; `ready` settles when the subscription is confirmed. */
export type LogSubscription = (() => void) & { readonly ready: Promise<void> }

/**
 * The logs of the channels that one pattern matches. All have the same bounds, and one stream of notifications. Implementations
 * MUST pass the suite at `coordination/testing`.
 *
 * @throws {RealtimeError} calls reject with `UNAVAILABLE` (not applied), `OUTCOME_UNKNOWN` (perhaps applied), `CLOSED`.
 */
export interface Logs {
  readonly pattern: string
  /**
   * Adds a record to the end of a log.
   *
   * @throws {RealtimeError} `BACKLOG_FULL` if a group is `maxBacklog` records behind, `INVALID_CHANNEL` for a name that `pattern` does not
   * match.
   */
  append(name: string, record: NewRecord): Promise<Appended>
  /** The end of a log. Begins the log where it does not exist, so that a gap after this position can be found. */
  head(name: string): Promise<LogPosition>
  /** The position before the newest records, so many at most. */
  rewind(name: string, records: number): Promise<LogPosition>
  /** The first records after a position, `PAGE_RECORDS` and about `PAGE_BYTES` at most. Without a position: from the start. */
  read(name: string, after?: LogPosition): Promise<LogPage>
  /** The newest records before a position, so many and about `PAGE_BYTES` at most; without a position, the newest ones. */
  history(name: string, limit: number, before?: LogPosition): Promise<LogHistory>
  /** Removes records up to an offset, except those that a group has not processed. Returns how many. */
  trim(name: string, upTo: number): Promise<number>
  /** Runs the listener for each append of any instance, in the order of each log. A notification can be lost: see `previous`. */
  onAppend(listener: (notice: AppendNotice) => void): LogSubscription
  /** Runs the listener when notifications may have been lost. */
  onGap(listener: () => void): () => void
  /**
   * One of the groups of the options.
   *
   * @throws {RealtimeError} `INVALID_OPTIONS` for another name, `UNSUPPORTED` for logs without groups.
   */
  group(name: string): LogGroup
  /** Idempotent. What the caller provided stays open. */
  close(): Promise<void>
}

/** Records of one page. */
export const PAGE_RECORDS = 100

/** A page ends with the record that passes this many bytes. */
export const PAGE_BYTES = 262_144
