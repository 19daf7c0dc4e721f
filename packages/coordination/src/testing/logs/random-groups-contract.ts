import { expect, test } from 'vitest'
import { MAX_FAILURES } from '../../logs/group-contract.ts'
import { withLogs, type UseLogs } from './logs-under-test.ts'
import { randomOf } from './random-of.ts'

const SCHEDULES = 4
const RECORDS = 25

/**
 * Workers of two instances take, acknowledge, fail and abandon records at random. Every record ends processed, or a dead letter
 * with as many errors as it had failures.
 */
export function randomGroupsContract(use: UseLogs): void {
  test.each(Array.from({ length: SCHEDULES }, (_, seed) => seed))('[E10] every record is processed or a dead letter (seed %i)', (seed) =>
    withLogs(use, { groups: ['g'], maxRecords: 5 }, async ({ logs, other }, channel) => {
      const below = randomOf(seed)
      const name = channel('a')
      const processed = new Set<string>()
      const failures = new Map<string, number>()
      let appended = 0
      let takes = 0
      for (let isDone = false; !isDone;) {
        const group = (below(2) === 0 ? logs : other).group('g')
        if (appended < RECORDS && below(2) === 0) await logs.append(name, { json: String((appended += 1)) })
        const token = `${seed}-${(takes += 1)}`
        const { records, dueInMs } = await group.take(name, { token, count: 1 + below(4), visibilityMs: 1 + below(3) })
        isDone = appended === RECORDS && records.length === 0 && dueInMs === undefined
        for (const { offset, json } of records) {
          expect(processed.has(json)).toBe(false)
          const choice = below(10)
          if (choice < 5) {
            processed.add(json)
            await group.acknowledge(name, offset)
          } else if (choice < 8) {
            const outcome = await group.fail(name, token, offset, `error of ${json}`, below(3))
            if (outcome !== 'lost') failures.set(json, (failures.get(json) ?? 0) + 1)
          }
        }
      }
      const letters = await logs.group('g').deadLetters.list(name)
      expect(letters.map(({ json }) => json).toSorted()).toEqual(
        [...failures]
          .filter(([, count]) => count >= MAX_FAILURES)
          .map(([json]) => json)
          .toSorted(),
      )
      for (const { errors, json } of letters) expect(errors).toEqual(Array.from({ length: MAX_FAILURES }, () => `error of ${json}`))
      expect(processed.size + letters.length).toBe(RECORDS)
      expect(await logs.group('g').backlog(name)).toEqual({ waiting: 0, pending: 0 })
    }),
  )
}
