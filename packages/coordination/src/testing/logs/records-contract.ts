import { expect, test } from 'vitest'
import type { AppendNotice } from '../../logs/log-contract.ts'
import { appendNumbers, numbersOf, readAll, withLogs, type UseLogs } from './logs-under-test.ts'

/** Appending, deduplication and notifications. */
export function recordsContract(use: UseLogs): void {
  test('[E6] an instance reads what another one appended, in log order', () =>
    withLogs(use, {}, async ({ logs, other }, channel) => {
      const name = channel('a')
      const start = await other.head(name)
      const positions = await appendNumbers(logs, name, 250)
      const records = await readAll(other, name, start)
      expect(numbersOf(records)).toEqual(Array.from({ length: 250 }, (_, number) => number))
      expect(records.map(({ offset }) => offset)).toEqual(positions.map(({ offset }) => offset))
      expect(records.map(({ previous }) => previous)).toEqual([start.offset, ...positions.slice(0, -1).map(({ offset }) => offset)])
      expect(new Set(positions.map(({ epoch }) => epoch))).toEqual(new Set([start.epoch]))
      expect(await logs.head(name)).toEqual({ epoch: start.epoch, offset: positions.at(-1)?.offset })
    }))

  test('[E6] a record keeps its data, author and id', () =>
    withLogs(use, {}, async ({ logs, other }, channel) => {
      const name = channel('a')
      const json = JSON.stringify({ text: '"é\\ \u2028🎻', none: null, list: [] })
      await logs.append(name, { json, author: 'client:user "1"', includeSelf: true, id: 'i-1' })
      await logs.append(name, { json: '0' })
      expect(await readAll(other, name)).toMatchObject([
        { json, author: 'client:user "1"', includeSelf: true, id: 'i-1' },
        { json: '0', offset: expect.any(Number) },
      ])
    }))

  test('[E7] one id appended at once by two instances is one record', () =>
    withLogs(use, {}, async ({ logs, other }, channel) => {
      const name = channel('a')
      for (let round = 0; round < 20; round += 1) {
        const record = { json: String(round), id: `id-${round}` }
        const appended = await Promise.all([logs, other, logs, other].map((one) => one.append(name, record)))
        expect(appended.filter(({ isNew }) => isNew)).toHaveLength(1)
        expect(new Set(appended.map(({ epoch, offset }) => `${epoch} ${offset}`)).size).toBe(1)
      }
      expect(numbersOf(await readAll(logs, name))).toEqual(Array.from({ length: 20 }, (_, round) => round))
    }))

  test('[E7] an id is appended again once its record is trimmed', () =>
    withLogs(use, { maxRecords: 3 }, async ({ logs }, channel) => {
      const name = channel('a')
      const first = await logs.append(name, { json: '0', id: 'again' })
      await appendNumbers(logs, name, 3)
      const second = await logs.append(name, { json: '0', id: 'again' })
      expect(second.isNew).toBe(true)
      expect(second.offset).toBeGreaterThan(first.offset)
      // Trimming the first record has not removed the id of the second one.
      expect(await logs.append(name, { json: '0', id: 'again' })).toMatchObject({ isNew: false, offset: second.offset })
    }))

  test('[E6] every instance is notified of each append, in log order', () =>
    withLogs(use, { inlineValueMaxBytes: 100 }, async ({ logs, other }, channel) => {
      const notices: AppendNotice[] = []
      const name = channel('a')
      const start = await logs.head(name)
      const subscription = other.onAppend((notice) => notices.push(notice))
      await subscription.ready
      const arrived = new Promise<void>((resolve) => {
        const end = other.onAppend(({ json }) => {
          if (json === '"end"') resolve(end())
        })
      })
      await Promise.all(Array.from({ length: 200 }, (_, number) => (number % 2 ? logs : other).append(name, { json: String(number) })))
      await logs.append(name, { json: JSON.stringify('x'.repeat(200)), author: 'someone', includeSelf: true })
      await logs.append(name, { json: '"end"' })
      await arrived
      const records = await readAll(logs, name)
      expect(notices.map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset))
      expect(notices.map(({ previous }) => previous)).toEqual([start.offset, ...notices.slice(0, -1).map(({ offset }) => offset)])
      expect(notices[0]).toMatchObject({ log: name, epoch: start.epoch, json: records[0]?.json })
      // Data that is too long is not part of the notification.
      expect(notices[200]).toMatchObject({ author: 'someone', includeSelf: true })
      expect(notices[200]).not.toHaveProperty('json')
      subscription()
    }))

  test('[E6] a record of a megabyte is stored whole, and ends its page', () =>
    withLogs(use, {}, async ({ logs, other }, channel) => {
      const name = channel('a')
      const json = JSON.stringify('x'.repeat(1_000_000))
      for (let count = 0; count < 3; count += 1) await logs.append(name, { json })
      const page = await other.read(name)
      expect(page.records).toHaveLength(1)
      expect(page.records[0]?.json === json).toBe(true)
      expect(page.last).toBeGreaterThan(page.records[0]?.offset ?? Infinity)
      expect(await readAll(other, name)).toHaveLength(3)
      expect((await other.history(name, 3)).records).toHaveLength(1)
    }))

  test('[X3] a name that the pattern does not match is refused', () =>
    withLogs(use, {}, async ({ logs }, channel) => {
      for (const name of ['elsewhere', `${channel('a')}$head`, channel('')]) {
        await expect(logs.append(name, { json: '0' })).rejects.toMatchObject({ code: 'INVALID_CHANNEL' })
        await expect(logs.read(name)).rejects.toMatchObject({ code: 'INVALID_CHANNEL' })
      }
    }))

  test('[N7] closed logs reject with CLOSED', () =>
    withLogs(use, {}, async ({ logs }, channel) => {
      await logs.close()
      await expect(logs.append(channel('a'), { json: '0' })).rejects.toMatchObject({ code: 'CLOSED' })
      await expect(logs.head(channel('a'))).rejects.toMatchObject({ code: 'CLOSED' })
    }))
}
