import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { DEATH_ERROR, DEATHS_PER_FAILURE, type LogGroup, type TakenRecord } from '../../logs/group-contract.ts'
import { appendNumbers, numbersOf, withLogs, type UseLogs } from './logs-under-test.ts'

const LONG = 60_000
let tokens = 0

const nextToken = (): string => `token-${(tokens += 1)}`

/** Takes records under a new token. */
async function take(group: LogGroup, log: string, count: number, visibilityMs = LONG) {
  const token = nextToken()
  return { token, ...(await group.take(log, { token, count, visibilityMs })) }
}

/** Takes one record, as soon as one is due. */
async function takeNext(group: LogGroup, log: string, visibilityMs = LONG): Promise<{ token: string; record: TakenRecord }> {
  for (;;) {
    const { token, records } = await take(group, log, 1, visibilityMs)
    const [record] = records
    if (record !== undefined) return { token, record }
  }
}

/** Groups of workers: claims, failures and dead letters. */
export function groupsContract(use: UseLogs): void {
  const withGroup = (run: Parameters<typeof withLogs>[2], limits = {}): Promise<void> =>
    withLogs(use, { groups: ['g', 'h'], ...limits }, run)

  test('[E10] each record is taken by one worker of each group, in log order', () =>
    withGroup(async ({ logs, other }, channel) => {
      const name = channel('a')
      await appendNumbers(logs, name, 30)
      expect(await other.group('g').logs()).toContain(name)
      const taken = await Promise.all([logs, other, logs, other].map((one) => take(one.group('g'), name, 10)))
      expect(numbersOf(taken.flatMap(({ records }) => records)).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n))
      for (const { records } of taken) expect(numbersOf(records)).toEqual(numbersOf(records).toSorted((a, b) => a - b))
      expect(taken.flatMap(({ records }) => records)).toEqual(
        Array.from({ length: 30 }, () => expect.objectContaining({ attempt: 1, log: name })),
      )
      expect(numbersOf((await take(logs.group('h'), name, 100)).records)).toHaveLength(30)
    }))

  test('[E10] a claim that ends is taken again, one that is renewed is not', () =>
    withGroup(async ({ logs, other }, channel) => {
      const name = channel('a')
      await appendNumbers(logs, name, 2)
      const group = logs.group('g')
      const first = await take(group, name, 2, 1)
      const offsets = first.records.map(({ offset }) => offset).slice(1)
      expect(await group.renew(name, first.token, offsets, LONG)).toEqual([])
      const second = await takeNext(other.group('g'), name)
      expect(second.record).toMatchObject({ offset: first.records[0]?.offset, json: '0', attempt: 2 })
      expect((await take(other.group('g'), name, 10)).records).toEqual([])
      // The former owner is notified of the loss, and its failure does not count.
      expect(await group.renew(name, first.token, [second.record.offset], LONG)).toEqual([second.record.offset])
      expect(await group.fail(name, first.token, second.record.offset, 'late', 0)).toBe('lost')
      expect(await group.renew(name, second.token, [second.record.offset], LONG)).toEqual([])
      for (const offset of [second.record.offset, ...offsets]) await group.acknowledge(name, offset)
      expect(await group.backlog(name)).toEqual({ waiting: 0, pending: 0 })
      expect(await take(group, name, 10)).not.toHaveProperty('dueInMs', expect.any(Number))
    }))

  test('[E10] a record is a dead letter after 3 failures, with their errors', () =>
    withGroup(async ({ logs, other }, channel) => {
      const name = channel('a')
      await appendNumbers(logs, name, 2)
      const group = logs.group('g')
      const outcomes: string[] = []
      for (const error of ['one', 'two "2"', 'three']) {
        const { token, record } = await takeNext(group, name)
        expect(record.json).toBe('0')
        outcomes.push(await group.fail(name, token, record.offset, error, 0))
      }
      expect(outcomes).toEqual(['retry', 'retry', 'dead'])
      const [letter] = await other.group('g').deadLetters.list(name)
      expect(letter).toMatchObject({ log: name, json: '0', errors: ['one', 'two "2"', 'three'] })
      expect((await takeNext(group, name)).record.json).toBe('1')
      expect(await group.backlog(name)).toEqual({ waiting: 0, pending: 1 })
    }))

  test('[E10] a record that failed is due after the time that is given', () =>
    withGroup(async ({ logs }, channel) => {
      const name = channel('a')
      await appendNumbers(logs, name, 1)
      const { token, record } = await takeNext(logs.group('g'), name)
      expect(await logs.group('g').fail(name, token, record.offset, 'no', LONG)).toBe('retry')
      const { records, dueInMs } = await take(logs.group('g'), name, 1)
      expect(records).toEqual([])
      expect(dueInMs).toBeGreaterThan(LONG / 2)
      expect(dueInMs).toBeLessThanOrEqual(LONG)
    }))

  test('[E10] dead letters are listed, replayed and dropped, also after a trim', () =>
    withGroup(async ({ logs, other }, channel) => {
      const name = channel('a')
      await appendNumbers(logs, name, 3)
      const group = logs.group('g')
      for (let failures = 0; failures < 9; failures += 1) {
        const { token, record } = await takeNext(group, name)
        await group.fail(name, token, record.offset, String(failures), 0)
      }
      await logs.group('h').remove(name)
      expect(await logs.trim(name, Number.MAX_SAFE_INTEGER)).toBe(3)
      const [first, second, third] = await group.deadLetters.list(name)
      if (first === undefined || second === undefined || third === undefined) throw new Error('There are three.')
      expect(await group.deadLetters.list(name, second.id)).toEqual([third])
      expect(await group.deadLetters.drop(name, second.id)).toBe(true)
      expect(await group.deadLetters.drop(name, second.id)).toBe(false)
      const woken = new Promise<void>((resolve) => {
        const stop = other.group('g').onWork(() => resolve(stop()))
      })
      // Notifications of the other instance arrive once it is subscribed.
      await other.onAppend(() => {}).ready
      expect(await group.deadLetters.replay(name, first.id)).toBe(true)
      expect(await group.deadLetters.replay(name, first.id)).toBe(false)
      await woken
      const { record } = await takeNext(other.group('g'), name)
      expect(record).toMatchObject({ offset: first.offset, json: first.json, attempt: 1 })
      await group.acknowledge(name, record.offset)
      expect(await group.deadLetters.list(name)).toEqual([third])
      expect(await group.backlog(name)).toMatchObject({ pending: 0 })
    }))

  test('[E10] deliveries without an outcome count as a failure after ten', () =>
    withGroup(async ({ logs }, channel) => {
      const name = channel('a')
      await appendNumbers(logs, name, 1)
      const group = logs.group('g')
      for (let delivery = 1; delivery <= 3 * DEATHS_PER_FAILURE; delivery += 1) await takeNext(group, name, 1)
      let letters = await group.deadLetters.list(name)
      while (letters.length === 0) {
        expect((await take(group, name, 1, 1)).records).toEqual([])
        letters = await group.deadLetters.list(name)
      }
      expect(letters).toMatchObject([{ json: '0', errors: [DEATH_ERROR, DEATH_ERROR, DEATH_ERROR] }])
    }))

  test('[E10] unprocessed records are not trimmed; past maxBacklog appends are refused', () =>
    withGroup(
      async ({ logs }, channel) => {
        const name = channel('a')
        const [g, h] = [logs.group('g'), logs.group('h')]
        const positions = await appendNumbers(logs, name, 8)
        expect(await logs.trim(name, Number.MAX_SAFE_INTEGER)).toBe(0)
        await expect(logs.append(name, { json: '8', id: 'x' })).rejects.toMatchObject({ code: 'BACKLOG_FULL', retryable: true })
        expect(numbersOf((await take(g, name, 8)).records)).toHaveLength(8)
        for (const { offset } of (await take(h, name, 8)).records) await h.acknowledge(name, offset)
        // Taken, and not processed.
        await expect(logs.append(name, { json: '8', id: 'x' })).rejects.toMatchObject({ code: 'BACKLOG_FULL' })
        await g.acknowledge(name, positions[0]?.offset ?? 0)
        expect(await logs.append(name, { json: '8', id: 'x' })).toMatchObject({ isNew: true })
        await g.remove(name)
        await logs.append(name, { json: '9' })
        expect(numbersOf((await logs.read(name)).records)).toEqual([7, 8, 9])
      },
      { maxRecords: 3, maxBacklog: 8 },
    ))

  test('[E10] of appends at once, those past maxBacklog are refused and not stored', () =>
    withGroup(
      async ({ logs }, channel) => {
        const name = channel('a')
        const appendAll = (ids: readonly (string | undefined)[]): Promise<unknown[]> =>
          Promise.all(
            ids.map((id, place) =>
              logs.append(name, { json: String(place), id }).then(
                ({ isNew }) => isNew,
                (error: unknown) => (error instanceof RealtimeError ? error.code : String(error)),
              ),
            ),
          )
        // The first ones create the log, some with an id and some without.
        expect(await appendAll(['a', undefined, 'a', 'b'])).toEqual([true, true, false, true])
        expect(await appendAll(['c', 'a', 'd', 'e', 'b', 'd'])).toEqual([true, false, true, 'BACKLOG_FULL', false, false])
        const g = logs.group('g')
        for (const { offset } of (await take(g, name, 5)).records) await g.acknowledge(name, offset)
        await logs.group('h').remove(name)
        expect(await appendAll(['e', 'd', 'e'])).toEqual([true, false, false])
      },
      { maxRecords: 5, maxBacklog: 5 },
    ))

  test('[E10] records that were appended before the first worker are taken', () =>
    withGroup(
      async ({ logs, other }, channel) => {
        await appendNumbers(logs, channel('a'), 2)
        let taken = await take(other.group('g'), channel('a'), 10)
        expect(numbersOf(taken.records)).toEqual([0, 1])
        await appendNumbers(logs, channel('a'), 1, 2)
        taken = await take(other.group('g'), channel('a'), 10)
        expect(numbersOf(taken.records)).toEqual([2])
      },
      { maxAgeMs: 5 },
    ))

  test('[X9] a group that the options do not name is refused', () =>
    withGroup(async ({ logs }) => {
      expect(() => logs.group('other')).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    }))
}
