import { expect, test } from 'vitest'
import type { LogPosition } from '../../logs/log-contract.ts'
import { appendNumbers, numbersOf, readAll, withLogs, type UseLogs } from './logs-under-test.ts'

/** Bounds, positions and gaps. */
export function gapsContract(use: UseLogs): void {
  test('[E6] a log keeps its newest records, and a position before them has a gap', () =>
    withLogs(use, { maxRecords: 5 }, async ({ logs, other }, channel) => {
      const name = channel('a')
      const start = await logs.head(name)
      const positions = await appendNumbers(logs, name, 8)
      const page = await other.read(name, start)
      expect(numbersOf(page.records)).toEqual([3, 4, 5, 6, 7])
      expect(page).toMatchObject({ hasGap: true, from: positions[2]?.offset })
      expect(await other.read(name, positions[1])).toMatchObject({ hasGap: true })
      // The record that was trimmed last is where the rest begins.
      const rest = await other.read(name, positions[2])
      expect([rest.hasGap, numbersOf(rest.records)]).toEqual([false, [3, 4, 5, 6, 7]])
      expect(await other.read(name, positions.at(-1))).toMatchObject({ hasGap: false, records: [] })
    }))

  test('[E6] records older than maxAgeMs count as trimmed', () =>
    withLogs(use, { maxAgeMs: 40 }, async ({ logs }, channel) => {
      const name = channel('a')
      const [first] = await appendNumbers(logs, name, 2)
      let found = await logs.read(name, first)
      while (found.records.length > 0) found = await logs.read(name, first)
      expect(found.hasGap).toBe(true)
      const [next] = await appendNumbers(logs, name, 1, 2)
      expect(next?.epoch).toBe(first?.epoch)
      expect(await logs.read(name, first)).toMatchObject({ hasGap: true })
    }))

  test('[E6] a position of another lifetime, or after the end, has a gap', () =>
    withLogs(use, {}, async ({ logs }, channel) => {
      const name = channel('a')
      const [first, last] = await appendNumbers(logs, name, 2)
      if (first === undefined || last === undefined) throw new Error('Two were appended.')
      const other = await logs.read(name, { epoch: first.epoch - 1, offset: first.offset })
      expect([other.hasGap, numbersOf(other.records)]).toEqual([true, [0, 1]])
      expect(await logs.read(name, { ...last, offset: last.offset + 1 })).toMatchObject({ hasGap: true, records: [], from: last.offset })
    }))

  test('[E6] trim removes records up to an offset', () =>
    withLogs(use, {}, async ({ logs, other }, channel) => {
      const name = channel('a')
      const positions = await appendNumbers(logs, name, 230)
      expect(await other.trim(name, positions[214]?.offset ?? 0)).toBe(215)
      expect(numbersOf((await logs.read(name, positions[214])).records)).toEqual(Array.from({ length: 15 }, (_, place) => 215 + place))
      expect(await logs.trim(name, Number.MAX_SAFE_INTEGER)).toBe(15)
      expect(await logs.head(name)).toEqual({ epoch: positions[0]?.epoch, offset: positions[229]?.offset })
      const [next] = await appendNumbers(logs, name, 1)
      expect((await readAll(other, name, positions[229]))[0]).toMatchObject({ previous: positions[229]?.offset, offset: next?.offset })
    }))

  test('[E6] rewind is the position before the newest records', () =>
    withLogs(use, {}, async ({ logs }, channel) => {
      const name = channel('a')
      expect(await logs.rewind(name, 5)).toEqual(await logs.head(name))
      await appendNumbers(logs, name, 20)
      for (const count of [0, 1, 7, 20, 100]) {
        const records = await readAll(logs, name, await logs.rewind(name, count))
        expect(numbersOf(records)).toEqual(Array.from({ length: 20 }, (_, number) => number).slice(20 - Math.min(count, 20)))
      }
    }))

  test('[E6] history pages back to the first record, and rejects a lost position', () =>
    withLogs(use, { maxRecords: 25 }, async ({ logs, other }, channel) => {
      const name = channel('a')
      expect(await logs.history(name, 10)).toMatchObject({ records: [], hasMore: false, hasGap: false })
      const positions = await appendNumbers(logs, name, 30)
      const pages: number[][] = []
      let before: LogPosition | undefined
      for (let hasMore = true; hasMore;) {
        const page = await other.history(name, 10, before)
        pages.push(numbersOf(page.records))
        hasMore = page.hasMore
        before = { epoch: page.epoch, offset: page.records[0]?.offset ?? 0 }
      }
      expect(pages.map((page) => [page[0], page.length])).toEqual([
        [20, 10],
        [10, 10],
        [5, 5],
      ])
      expect(await logs.history(name, 10, before)).toMatchObject({ records: [], hasMore: false, hasGap: false })
      expect(await logs.history(name, 10, positions[3])).toMatchObject({ records: [], hasGap: true })
      expect(await logs.history(name, 10, { epoch: 1, offset: positions[20]?.offset ?? 0 })).toMatchObject({ hasGap: true })
    }))
}
