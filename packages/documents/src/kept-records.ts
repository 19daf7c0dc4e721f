import { mergeUpdates } from './crdt.ts'
import type { UpdateRecord } from './log/document-log.ts'

/** Records that are kept in memory for clients that reconnect: so many, and bytes. */
const KEPT_RECORDS = 10_000
const KEPT_BYTES = 4_000_000

/** The newest records of a document, for clients that reconnect and for the database. */
export interface KeptRecords {
  /** Adds the next record of the log. Older ones are dropped where there are too many, except those after `stored`. */
  add(record: UpdateRecord, stored: number): void
  /** Adds rows of the database before the first record, up to it. Ignored where some are missing. `end`: of the log. */
  prepend(records: readonly UpdateRecord[], end: number): void
  /** Bytes that can still be added before others are dropped. */
  readonly freeBytes: number
  /** The records after an offset. */
  after(offset: number): readonly UpdateRecord[]
  /** The updates after an offset, merged; `undefined` where some of them are not here. `end`: of the log. */
  since(offset: number, end: number): Uint8Array | undefined
  /** Whether the updates after an offset are all here. */
  reachBack(offset: number, end: number): boolean
  clear(): void
}

/** Keeps the records of one document. */
export function createKeptRecords(): KeptRecords {
  let records: UpdateRecord[] = []
  let bytes = 0
  /** The last result of `since`: clients that reconnect together often lack the same. */
  let merged: { readonly offset: number; readonly update: Uint8Array } | undefined

  const replace = (kept: UpdateRecord[]): void => {
    merged = undefined
    records = kept
    bytes = kept.reduce((sum, { update }) => sum + update.length, 0)
  }
  const after = (offset: number): readonly UpdateRecord[] => {
    const first = records.findLastIndex((record) => record.offset <= offset) + 1
    return records.slice(first)
  }
  const reachBack = (offset: number, end: number): boolean => {
    const first = records.findLastIndex((record) => record.offset <= offset) + 1
    const next = records[first]
    return next === undefined ? offset === end : next.previous <= offset
  }
  return {
    add: (record, stored) => {
      merged = undefined
      records.push(record)
      bytes += record.update.length
      if (records.length <= KEPT_RECORDS && bytes <= KEPT_BYTES) return
      // What is not stored yet is never dropped: the store task reads it here.
      const first = records.findIndex(({ offset }) => offset > stored)
      replace(records.slice(Math.min(first === -1 ? records.length : first, Math.ceil(records.length / 2))))
    },
    prepend: (older, end) => {
      const first = records[0]?.previous ?? end
      const rows = older.filter(({ previous }) => previous < first)
      const last = rows.at(-1)
      const hasHole = rows.some(({ previous }, place) => place > 0 && previous !== rows[place - 1]?.offset)
      if (last === undefined || last.offset < first || hasHole) return
      replace([...rows, ...records.filter(({ offset }) => offset > last.offset)])
    },
    get freeBytes() {
      return KEPT_BYTES - bytes
    },
    after,
    reachBack,
    since: (offset, end) => {
      if (!reachBack(offset, end)) return undefined
      if (merged?.offset !== offset) merged = { offset, update: mergeUpdates(after(offset).map(({ update }) => update)) }
      return merged.update
    },
    clear: () => replace([]),
  }
}
