import { expect, test } from 'vitest'
import { checkPresence } from '../src/presence/check-presence.ts'
import { parsePresenceOptions } from '../src/presence/parse-presence-options.ts'
import type { PresenceRunOptions } from '../src/presence/presence-run.ts'
import { runReconnects } from '../src/presence/run-reconnects.ts'
import { runRounds } from '../src/presence/run-rounds.ts'
import { runSilentClients } from '../src/presence/run-silent-clients.ts'

const SHORT: PresenceRunOptions = {
  ...{ seed: 1, members: 40, slackMs: 10_000 },
  times: { heartbeatMs: 200, leaseMs: 1_200, graceMs: 1_000 },
}

test('[P3] three rounds of kills and stalls leave no ghost and no record', async () => {
  const results = await runRounds(3, SHORT)
  expect(results.flatMap(({ violations }) => violations)).toEqual([])
  expect(results).toHaveLength(3)
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0)
  expect(sum(results.map(({ dead }) => dead))).toBeGreaterThan(5)
  expect(sum(results.map(({ gone }) => gone))).toBeGreaterThan(5)
})

// Without changes of Redis, so that the bug is all there is to be found. `no-quiet` needs them and is left to the command.
for (const [bug, rule] of [
  ['silent-sweep', 'views'],
  ['no-sweep', 'views'],
  ['no-grace', 'false-leave'],
] as const) {
  test(`[P3] the checks of presence detect the planted bug ${bug}`, async () => {
    const results = await runRounds(8, { ...SHORT, changesRedis: false, slackMs: 2_000, settleMs: 2_000, bug })
    expect(results.flatMap(({ violations }) => violations.map((violation) => violation.rule))).toContain(rule)
  })
}

test('[P2] clients whose connections are cut reconnect, and none is reported as gone', async () => {
  const { returned, gone, violations } = await runReconnects(50, { ...SHORT, times: { ...SHORT.times, graceMs: 10_000 } })
  expect(violations).toEqual([])
  expect(gone).toBe(0)
  expect(returned).toBeGreaterThanOrEqual(50)
})

test('[P7] clients that vanish are gone after ping interval, timeout and grace', async () => {
  const { violations } = await runSilentClients(5, SHORT, { pingIntervalMs: 300, pingTimeoutMs: 500 })
  expect(violations).toEqual([])
})

test('a leave is judged by the last connection of its member', () => {
  const bounds = { graceMs: 1_000, earlyMs: 100, lateMs: 2_000 }
  const membership = { client: 'a', room: 'r', id: '1', fromMs: 0 }
  const leave = { observer: 'b', room: 'r', id: '1', isFirstReply: false }
  const rulesOf = (toMs: number | undefined, atMs: number): string[] =>
    checkPresence(
      { memberships: [{ ...membership, ...(toMs !== undefined && { toMs }) }], leaves: [{ ...leave, atMs }] },
      bounds,
    ).violations.map(({ rule }) => rule)
  expect(rulesOf(undefined, 5_000)).toEqual(['false-leave'])
  expect(rulesOf(5_000, 5_800)).toEqual(['false-leave'])
  expect(rulesOf(5_000, 6_000)).toEqual([])
  expect(rulesOf(5_000, 7_001)).toEqual(['late-leave'])
  const ended = { ...membership, toMs: 5_000 }
  const rulesAfter = (fromMs: number, atMs: number): string[] =>
    checkPresence({ memberships: [ended, { ...membership, fromMs }], leaves: [{ ...leave, atMs }] }, bounds).violations.map(
      ({ rule }) => rule,
    )
  // Its client has the same id after the end of a membership.
  expect(rulesAfter(5_500, 6_200)).toEqual(['false-leave'])
  expect(rulesAfter(6_500, 6_200)).toEqual([])
  expect(rulesAfter(6_500, 7_500)).toEqual(['false-leave'])
  const again = { ...membership, id: '2', fromMs: 5_500 }
  expect(checkPresence({ memberships: [ended, again], leaves: [] }, bounds).violations).toMatchObject([{ rule: 'identity' }])
})

test('options of the presence run have defaults, and an invalid one is refused by name', () => {
  expect(parsePresenceOptions([])).toEqual({ rounds: 100, seed: 1, members: 300, reconnects: 0, silent: 0, slack: 0, redis: 'standalone' })
  expect(parsePresenceOptions(['--', '--plant', 'no-grace'])).toMatchObject({ plant: 'no-grace' })
  for (const [name, value] of [
    ['--rounds', '0'],
    ['--redis', 'many'],
    ['--plant', 'twice'],
  ] as const)
    expect(() => parsePresenceOptions([name, value])).toThrow(name)
})
