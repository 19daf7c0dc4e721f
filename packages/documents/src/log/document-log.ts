import type { LogPosition, LogSubscription } from '@tutti/coordination/logs'

/** The author of an update. */
export interface UpdateAuthor {
  /** Id of the user; '' without one. */
  readonly user: string
  /** Id of the connection; '' for server code. */
  readonly connection: string
}

/** One update in the log of a document. */
export interface UpdateRecord extends LogPosition {
  /** The offset of the record before, or the start of the log. */
  readonly previous: number
  readonly author: UpdateAuthor
  readonly update: Uint8Array
}

/** The notification of an append; without `update` where that is long: read it. */
export interface UpdateNotice extends Omit<UpdateRecord, 'update'> {
  readonly update?: Uint8Array | undefined
}

/** Updates after a position, in log order. */
export interface UpdatePage {
  readonly epoch: number
  readonly records: readonly UpdateRecord[]
  /** The offset that the first record follows; without records, that of the last one in the log. */
  readonly from: number
  /** The offset of the last record in the log. */
  readonly last: number
  /** Updates after the position that was given may be missing. */
  readonly hasGap: boolean
}

/**
 * The log of one document: the order of its updates. An update that is in the log is never lost, and is acknowledged only then (D2).
 *
 * Calls reject with `UNAVAILABLE` (not applied), `OUTCOME_UNKNOWN` (perhaps applied: an update may be appended twice) and `CLOSED`.
 */
export interface DocumentLog {
  /** The end of the log; begins the log where there is none. */
  head(): Promise<LogPosition>
  append(update: Uint8Array, author: UpdateAuthor): Promise<LogPosition>
  /** The first updates after a position: a page. */
  read(after: LogPosition): Promise<UpdatePage>
  /** Removes what is stored in the database, up to an offset. */
  trim(upTo: number): Promise<void>
  /** Runs the listener for each append of any instance, in order. A notification can be lost: see `previous`. */
  onAppend(listener: (notice: UpdateNotice) => void): LogSubscription
  /** Runs the listener when notifications may have been lost. */
  onGap(listener: () => void): () => void
  close(): Promise<void>
}

/** Opens the log of a document. */
export interface DocumentLogs {
  open(document: string): DocumentLog
  /** An update is in the database as soon as it is in the log. */
  readonly isStored: boolean
}
