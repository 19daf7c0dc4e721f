import type { LogHistory, LogPage, LogPosition, LogRecord, NewRecord } from '../log-contract.ts'
import { PAGE_BYTES, PAGE_RECORDS } from '../log-contract.ts'
import type { LogSettings } from '../log-options.ts'
import { historyOf, pageOf } from '../log-rules.ts'

/** The bounds of a log in one process. */
export type LocalLogSettings = Pick<LogSettings, 'maxRecords' | 'maxAgeMs' | 'maxBacklog' | 'tombstoneMs'>

/** One log in the memory of one process. Reading never waits. */
export interface LocalLog {
  readonly epoch: number
  readonly head: LogPosition
  /** All records that are not trimmed, also those that are too old to be read. */
  readonly records: readonly LogRecord[]
  /** The record with this id, where it is in the log. */
  find(id: string): LogRecord | undefined
  /** The record that would be appended now. */
  next(record: NewRecord): LogRecord
  add(record: LogRecord): void
  /** The records that can be removed before one is appended: none from `floor` on. */
  excess(floor: number): readonly LogRecord[]
  removeFirst(count: number): void
  rewind(count: number): LogPosition
  read(after: LogPosition | undefined): LogPage
  history(limit: number, before: LogPosition | undefined): LogHistory
  /** Neither records nor an offset must be kept. */
  readonly isOver: boolean
}

/** Records removed by one append at most. */
const TRIM_RECORDS = 100

/** Makes a log that continues with these records. `nowUs`: the clock, microseconds. */
export function createLocalLog(settings: LocalLogSettings, nowUs: () => number, start: LogPosition, kept: readonly LogRecord[]): LocalLog {
  const { maxRecords, maxAgeMs, tombstoneMs } = settings
  const { epoch } = start
  const records = [...kept]
  const ids = new Map<string, LogRecord>()
  let last = start.offset
  for (const record of records) if (record.id !== undefined) ids.set(record.id, record)

  const oldest = (): number => nowUs() - maxAgeMs * 1_000
  /** The place of the first record that is greater than the offset. */
  const placeAfter = (offset: number): number => {
    let [low, high] = [0, records.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((records[middle]?.offset ?? Infinity) <= offset) low = middle + 1
      else high = middle
    }
    return low
  }
  const head = (): LogPosition => ({ epoch, offset: last })
  const firstPlace = (): number => placeAfter(oldest() - 1)

  return {
    epoch,
    records,
    get head() {
      return head()
    },
    find: (id) => {
      const record = ids.get(id)
      return record !== undefined && record.offset >= oldest() ? record : undefined
    },
    next: (record) => ({ ...record, offset: Math.max(last + 1, nowUs()), previous: last }),
    add: (record) => {
      last = record.offset
      records.push(record)
      if (record.id !== undefined) ids.set(record.id, record)
    },
    excess: (floor) => {
      const count = records.length + 1 - maxRecords
      const isOver = (record: LogRecord, place: number): boolean => place < count || record.offset < oldest()
      const candidates = records.slice(0, TRIM_RECORDS)
      const end = candidates.findIndex((record, place) => record.offset >= floor || !isOver(record, place))
      return end === -1 ? candidates : candidates.slice(0, end)
    },
    removeFirst: (count) => {
      for (const { id, offset } of records.splice(0, count)) if (id !== undefined && ids.get(id)?.offset === offset) ids.delete(id)
    },
    rewind: (count) => {
      const record = records[Math.max(firstPlace(), records.length - count)]
      return { epoch, offset: count === 0 || record === undefined ? last : record.previous }
    },
    read: (after) => {
      const from = after === undefined || after.epoch !== epoch ? epoch : after.offset
      const place = Math.max(firstPlace(), placeAfter(from))
      return pageOf({ head: head(), records: page(records.slice(place, place + PAGE_RECORDS)) }, after)
    },
    history: (limit, before) => {
      const end = before === undefined ? records.length : placeAfter(before.offset - 1)
      const begin = Math.max(firstPlace(), end - limit)
      const found = page(records.slice(begin, Math.max(begin, end)).toReversed()).toReversed()
      return historyOf({ head: head(), records: found }, records[firstPlace()], before)
    },
    get isOver() {
      return records.every(({ offset }) => offset < oldest()) && last < oldest() - tombstoneMs * 1_000
    },
  }
}

/** The records up to the one that passes the bytes of a page. */
function page(records: readonly LogRecord[]): LogRecord[] {
  let bytes = 0
  const end = records.findIndex(({ json }) => (bytes += json.length) > PAGE_BYTES)
  return records.slice(0, end === -1 ? records.length : end + 1)
}
