import { DEATH_ERROR, DEATHS_PER_FAILURE, MAX_FAILURES } from '../group-contract.ts'
import type { Backlog, DeadLetter, FailureOutcome, Taken, TakenRecord, TakeOptions } from '../group-contract.ts'
import type { LogRecord } from '../log-contract.ts'
import type { LocalLog } from './local-log.ts'

/** A record that was taken and is not processed. */
interface Claim {
  readonly record: LogRecord
  /** Absent while it waits for a retry. */
  token: string | undefined
  dueMs: number
  readonly errors: string[]
  deaths: number
}

/** What one group knows of one log. */
export interface LocalGroup {
  /** The first offset that must not be trimmed. */
  readonly floor: number
  take(options: TakeOptions): Taken
  renew(token: string, offsets: readonly number[], visibilityMs: number): number[]
  acknowledge(offset: number): void
  fail(token: string, offset: number, error: string, retryMs: number): FailureOutcome
  readonly backlog: Backlog
  letters(after: string | undefined): DeadLetter[]
  replay(id: string): boolean
  drop(id: string): boolean
  remove(): void
}

/** Dead letters of one list. */
const LISTED_LETTERS = 100

/** Makes the state of a group on one log. `nowMs`: the clock. */
export function createLocalGroup(name: string, log: LocalLog, nowMs: () => number): LocalGroup {
  const claims = new Map<number, Claim>()
  const dead = new Map<string, { readonly letter: DeadLetter; readonly record: LogRecord }>()
  let letters = 0
  let cursor = log.epoch
  let isRemoved = false

  const bury = (claim: Claim): void => {
    const { record, errors } = claim
    claims.delete(record.offset)
    const id = String((letters += 1))
    dead.set(id, { letter: { id, log: name, offset: record.offset, json: record.json, errors }, record })
  }
  const claim = (entry: Claim, { token, visibilityMs }: TakeOptions): TakenRecord => {
    entry.token = token
    entry.dueMs = nowMs() + visibilityMs
    const { offset, json, author } = entry.record
    return { log: name, offset, json, author, attempt: entry.errors.length + entry.deaths + 1 }
  }
  /** A claim has ended without an outcome. Returns whether the record can be delivered again. */
  const countDeath = (entry: Claim): boolean => {
    entry.deaths += 1
    if (entry.deaths < DEATHS_PER_FAILURE) return true
    entry.deaths = 0
    entry.errors.push(DEATH_ERROR)
    if (entry.errors.length < MAX_FAILURES) return true
    bury(entry)
    return false
  }
  const waiting = (): LogRecord[] => log.records.filter(({ offset }) => offset > cursor)

  return {
    get floor() {
      if (isRemoved) return Infinity
      return Math.min(cursor + 1, ...claims.keys())
    },
    take: (options) => {
      const { count } = options
      const records: TakenRecord[] = []
      const due = [...claims.values()].filter(({ dueMs }) => dueMs <= nowMs()).toSorted((a, b) => a.dueMs - b.dueMs)
      for (const entry of due.slice(0, count)) {
        if (entry.token === undefined || countDeath(entry)) records.push(claim(entry, options))
      }
      isRemoved = false
      const fresh = waiting()
      for (const record of fresh.slice(0, count - records.length)) {
        cursor = record.offset
        const entry: Claim = { record, token: undefined, dueMs: 0, errors: [], deaths: 0 }
        claims.set(record.offset, entry)
        records.push(claim(entry, options))
      }
      const next = Math.min(...[...claims.values()].map(({ dueMs }) => dueMs))
      return {
        records,
        dueInMs: Number.isFinite(next) ? Math.max(0, next - nowMs()) : undefined,
        hasMore: due.length > count || fresh.some(({ offset }) => offset > cursor),
      }
    },
    renew: (token, offsets, visibilityMs) =>
      offsets.filter((offset) => {
        const entry = claims.get(offset)
        if (entry?.token !== token) return true
        entry.dueMs = nowMs() + visibilityMs
        return false
      }),
    acknowledge: (offset) => void claims.delete(offset),
    fail: (token, offset, error, retryMs) => {
      const entry = claims.get(offset)
      if (entry?.token !== token) return 'lost'
      entry.errors.push(error)
      if (entry.errors.length >= MAX_FAILURES) {
        bury(entry)
        return 'dead'
      }
      entry.token = undefined
      entry.dueMs = nowMs() + retryMs
      return 'retry'
    },
    get backlog() {
      return { waiting: isRemoved ? 0 : waiting().length, pending: claims.size }
    },
    letters: (after) =>
      [...dead.values()]
        .map(({ letter }) => letter)
        .filter(({ id }) => Number(id) > Number(after ?? 0))
        .slice(0, LISTED_LETTERS),
    replay: (id) => {
      const record = dead.get(id)?.record
      if (record === undefined) return false
      dead.delete(id)
      claims.set(record.offset, { record, token: undefined, dueMs: 0, errors: [], deaths: 0 })
      return true
    },
    drop: (id) => dead.delete(id),
    remove: () => {
      isRemoved = true
      cursor = log.head.offset
      claims.clear()
    },
  }
}
