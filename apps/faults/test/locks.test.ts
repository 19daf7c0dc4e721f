import { expect, test } from 'vitest'
import { checkLocks, type LockBounds } from '../src/locks/check-locks.ts'
import { emptyHistory, type LockHistory, type SeenHold, type SeenRequest } from '../src/locks/lock-history.ts'
import type { LockRunOptions } from '../src/locks/lock-run.ts'
import { parseLockOptions } from '../src/locks/parse-lock-options.ts'
import { runAborts } from '../src/locks/run-aborts.ts'
import { runBroadcasts } from '../src/locks/run-broadcasts.ts'
import { runLockRounds } from '../src/locks/run-lock-rounds.ts'

const SHORT: LockRunOptions = {
  ...{ seed: 1, clients: 24, slackMs: 10_000 },
  times: { heartbeatMs: 200, leaseMs: 1_200, graceMs: 1_000 },
}

test('[L1] [L2] [L3] [L4] [R1] locks and rooms keep their rules under faults', async () => {
  const [result] = await runLockRounds({ ...SHORT, rounds: 1, awayMs: 0 })
  expect(result?.violations).toEqual([])
  expect(result?.grants).toBeGreaterThan(1)
  expect(result?.writes).toBeGreaterThan(1)
  expect(result?.rooms.received).toBeGreaterThan(0)
})

for (const [bug, rule] of [
  ['any-owner', 'token'],
  ['no-fence', 'fencing'],
] as const) {
  test(`[L1] the checks of locks detect the planted bug ${bug}`, async () => {
    const results = await runLockRounds({ ...SHORT, rounds: 10, awayMs: 0, calmMs: 600, bug })
    expect(results.flatMap(({ violations }) => violations.map((violation) => violation.rule))).toContain(rule)
  })
}

test('[L4] a lock is free or known by its holder after an abort met the grant', async () => {
  const { granted, ended, violations } = await runAborts(60, SHORT)
  expect(violations).toEqual([])
  expect(granted + ended).toBe(60)
})

test('[R1] [N1] a broadcast reaches a new member; a stopped instance is named', async () => {
  const { received, named, connections, violations } = await runBroadcasts(30, SHORT)
  expect(violations).toEqual([])
  expect([received, named, connections]).toEqual([30, 10, [2, 2]])
})

test('the history of a lock is judged by tokens and times', () => {
  const bounds: LockBounds = { keptMs: 1_000, endMs: 2_000, noticeMs: 100, isOrdered: true, allowance: () => 0 }
  const hold = (client: string, token: number, fromMs: number, more: Partial<SeenHold> = {}): SeenHold => ({
    ...{ client, token, fromMs, key: 'k' },
    ...more,
  })
  const request = (client: string, token: number, sentMs: number, grantedMs: number, more: Partial<SeenRequest> = {}): SeenRequest => ({
    ...{ client, token, sentMs, grantedMs, key: 'k', request: `r${token}`, before: undefined, continues: false },
    ...more,
  })
  const rulesOf = (history: Partial<LockHistory>): string[] =>
    checkLocks({ ...emptyHistory(), ...history }, bounds).violations.map(({ rule }) => rule)
  const first = hold('a', 10, 0, { toMs: 50, end: 'released' })
  expect(rulesOf({ holds: [first, hold('b', 20, 60)], writes: [{ client: 'a', key: 'k', token: 10, version: 15 }] })).toEqual([])
  expect(rulesOf({ holds: [first, hold('b', 10, 60)] })).toContain('token')
  expect(rulesOf({ holds: [hold('a', 10, 0), hold('b', 20, 60)] })).toEqual(['overlap'])
  expect(rulesOf({ holds: [first, hold('b', 20, 60)], writes: [{ client: 'a', key: 'k', token: 10, version: 25 }] })).toEqual(['fencing'])
  const dead = hold('a', 10, 0, { toMs: 50, end: 'down', isDead: true })
  expect(rulesOf({ holds: [dead, hold('b', 20, 2_000)] })).toEqual([])
  expect(rulesOf({ holds: [dead, hold('b', 20, 2_100)] })).toEqual(['late'])
  expect(rulesOf({ requests: [request('a', 20, 0, 10), request('b', 10, 20, 30)] })).toEqual(['rise'])
  const waited = request('a', 55_000, 0, 60, { queuedMs: 10 })
  expect(rulesOf({ requests: [waited, request('b', 25_000, 20, 30)] })).toEqual(['order'])
  expect(rulesOf({ requests: [waited, request('b', 25_000, 5, 30)] })).toEqual([])
  expect(rulesOf({ requests: [waited, request('b', 9_000, 20, 30)] })).toEqual([])
  const before = { token: 10, lostMs: 100 }
  expect(rulesOf({ requests: [request('a', 10, 150, 200, { before })] })).toEqual([])
  expect(rulesOf({ requests: [request('a', 20, 150, 200, { before })] })).toEqual(['kept'])
  expect(rulesOf({ unexpected: ['a: FORBIDDEN'] })).toEqual(['unsettled'])
})

test('options of the run of locks have defaults, and an invalid one is refused by name', () => {
  expect(parseLockOptions([])).toEqual({
    ...{ rounds: 50, seed: 1, clients: 60, races: 0, aborts: 0, away: 0, broadcasts: 0, slack: 0, redis: 'standalone' },
  })
  expect(parseLockOptions(['--', '--plant', 'no-fence', '--races', '10'])).toMatchObject({ plant: 'no-fence', races: 10 })
  for (const [name, value] of [
    ['--rounds', '0'],
    ['--redis', 'many'],
    ['--plant', 'twice'],
  ] as const)
    expect(() => parseLockOptions([name, value])).toThrow(name)
})
