import type { LogSubscription } from './log-contract.ts'

/** A record that one worker processes, until its claim ends. */
export interface TakenRecord {
  /** The name of its log. */
  readonly log: string
  readonly offset: number
  readonly json: string
  readonly author?: string | undefined
  /** 1 at the first delivery. */
  readonly attempt: number
}

/** What a worker took. */
export interface Taken {
  readonly records: readonly TakenRecord[]
  /** When the next record that is claimed or waits for a retry is due, in milliseconds from now; absent where none is. */
  readonly dueInMs?: number | undefined
  /** More records may be waiting now. */
  readonly hasMore: boolean
}

/** What became of a record that failed. `lost`: another worker has claimed it. */
export type FailureOutcome = 'retry' | 'dead' | 'lost'

/** A record whose processing failed too often. */
export interface DeadLetter {
  /** Names it in `replay` and `drop`. */
  readonly id: string
  readonly log: string
  readonly offset: number
  readonly json: string
  /** One for each failure, oldest first. */
  readonly errors: readonly string[]
}

/** Records that were not processed yet. */
export interface Backlog {
  /** Taken by no worker yet. */
  readonly waiting: number
  /** Claimed by a worker, or waiting for a retry. */
  readonly pending: number
}

/** How a worker takes records. */
export interface TakeOptions {
  /** Names this claim in `renew` and `fail`; never used for another call. */
  readonly token: string
  readonly count: number
  /** The claim ends after this time, unless it is renewed. */
  readonly visibilityMs: number
}

/** The dead letters of one group. */
export interface DeadLetters {
  /** Oldest first; those after `after`, 100 at most. */
  list(log: string, after?: string): Promise<DeadLetter[]>
  /** Makes the workers of the group process it again; false where it is not in the list. */
  replay(log: string, id: string): Promise<boolean>
  /** Removes it; false where it is not in the list. */
  drop(log: string, id: string): Promise<boolean>
}

/** The workers that share the records of some logs: each record is processed by one of them at a time. */
export interface LogGroup {
  readonly name: string
  /** Names of the logs that may have records to process. */
  logs(): Promise<string[]>
  /** Claims records: those that are due again, then new ones in log order. */
  take(log: string, options: TakeOptions): Promise<Taken>
  /** Extends claims. Returns the offsets whose claim this token no longer has. */
  renew(log: string, token: string, offsets: readonly number[], visibilityMs: number): Promise<number[]>
  /** The record is processed. */
  acknowledge(log: string, offset: number): Promise<void>
  /** The record failed: it is due again after `retryMs`, or a dead letter after `MAX_FAILURES`. */
  fail(log: string, token: string, offset: number, error: string, retryMs: number): Promise<FailureOutcome>
  backlog(log: string): Promise<Backlog>
  readonly deadLetters: DeadLetters
  /** Runs the listener when records may be waiting: an append, a dead letter that is replayed (any instance), a gap (no name). */
  onWork(listener: (log?: string) => void): LogSubscription
  /** Ends the group on one log: what it has not processed can be trimmed. Its dead letters stay. */
  remove(log: string): Promise<void>
}

/** A record is a dead letter after so many failures. */
export const MAX_FAILURES = 3

/** So many deliveries of one record whose claim ended without an outcome count as one failure. */
export const DEATHS_PER_FAILURE = 10

/** The error of a failure that consists of such deliveries. */
export const DEATH_ERROR = `${DEATHS_PER_FAILURE} claims ended without an outcome.`
