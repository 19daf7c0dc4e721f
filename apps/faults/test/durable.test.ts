import { expect, test } from 'vitest'
import { checkDurable } from '../src/durable/check-durable.ts'
import { checkJobs } from '../src/durable/check-jobs.ts'
import type { SeenItem } from '../src/durable/durable-history.ts'
import type { TraceEntry } from '../src/durable/job-trace.ts'
import { parseDurableOptions } from '../src/durable/parse-durable-options.ts'
import { runDurable, type DurableRunOptions } from '../src/durable/run-durable.ts'
import { runWorkers } from '../src/durable/run-workers.ts'

const SHORT: DurableRunOptions = { seed: 1, events: 240, subscribers: 6, publishers: 3, seconds: 1.5, settleMs: 60_000 }

test('[E6] acknowledged events reach each subscriber once and in order under faults', async () => {
  const { violations, acknowledged, settledMs } = await runDurable(SHORT)
  expect(violations).toEqual([])
  expect(acknowledged).toBe(240)
  expect(settledMs).toBeGreaterThanOrEqual(0)
})

/** Two instances lose their connections to Redis, while events are published through the third one. */
const CUT_OFF = [0, 1].map((place) => ({ name: 'refuse', atMs: 300 + 300 * place, forMs: 400, place, link: 'back' }) as const)

test('[E6] the check detects a lost notification that is not read again', async () => {
  const { violations } = await runDurable({ ...SHORT, faults: CUT_OFF, bug: 'no-read', reconcileIntervalMs: 0, settleMs: 3_000 })
  expect(violations.map(({ rule }) => rule)).toContain('lost')
})

test('[E10] no job is lost, late or repeated while processes of workers are killed', async () => {
  const result = await runWorkers({ seed: 1, jobs: 520, processes: 2, kills: 2, visibilityMs: 500, slackMs: 20_000, timeoutMs: 60_000 })
  expect(result.violations).toEqual([])
  expect(result).toMatchObject({ kills: 2, letters: 2, replayed: 2 })
})

test('a subscriber needs each acknowledged event, once and in order, or a gap', () => {
  const event = (number: number, offset: number) => ({ publisher: 'p0', number, offset })
  const published = [event(0, 10), event(1, 20), event(2, 30)]
  const rulesOf = (items: readonly SeenItem[]): string[] =>
    checkDurable({ published, seen: [{ subscriber: 's', items }], unsettled: [] }).violations.map(({ rule }) => rule)
  expect(rulesOf(published)).toEqual([])
  expect(rulesOf([event(0, 10), { gap: [10, 20] }, event(2, 30)])).toEqual([])
  expect(rulesOf([event(0, 10), event(2, 30)])).toEqual(['lost'])
  expect(rulesOf([event(0, 10), event(0, 10), event(1, 20), event(2, 30)])).toContain('twice')
  expect(rulesOf([event(0, 10), event(2, 30), event(1, 20)])).toContain('order')
  const swapped = [event(1, 10), event(0, 20)]
  const check = checkDurable({ published: swapped, seen: [], unsettled: ['p0 3'] })
  expect(check.violations.map(({ rule }) => rule)).toEqual(['unsettled', 'publisher'])
})

test('a job needs an effect, and only what failed three times may be a dead letter', () => {
  const entry = (event: TraceEntry['event'], pid: number, attempt: number, atMs: number): TraceEntry => ({
    number: 1,
    event,
    pid,
    attempt,
    atMs,
  })
  const rulesOf = (trace: readonly TraceEntry[], kind: 'short' | 'poison' = 'short', errors?: string[]): string[] => {
    const letters = errors === undefined ? [] : [{ id: '1', log: 'jobs:1', offset: 1, json: '{"number":1}', errors }]
    return checkJobs({ jobs: [{ number: 1, kind }], trace, deaths: [{ pid: 7, atMs: 100 }], letters }, 1_000).violations.map(
      ({ rule }) => rule,
    )
  }
  const again = [entry('start', 7, 1, 90), entry('start', 8, 2, 1_000), entry('done', 8, 2, 1_001)]
  expect(rulesOf(again)).toEqual([])
  expect(rulesOf([entry('start', 7, 1, 90), entry('start', 8, 2, 1_101), entry('done', 8, 2, 1_102)])).toEqual(['late'])
  expect(rulesOf([entry('start', 8, 1, 90)])).toEqual(['lost'])
  expect(rulesOf(again, 'short', ['x'])).toEqual(['dead'])
  expect(rulesOf([entry('start', 8, 1, 0), entry('start', 9, 2, 5), entry('done', 9, 2, 6)])).toEqual(['twice'])
  const failures = [1, 2, 3].flatMap((attempt) => [entry('start', 8, attempt, attempt), entry('failure', 8, attempt, attempt)])
  expect(rulesOf(failures, 'poison', ['poison 1', 'poison 1', 'poison 1'])).toEqual([])
  expect(rulesOf(failures, 'poison', ['poison 1', 'poison 1'])).toEqual(['poison'])
})

test('options of the durable runs have defaults, and an invalid one is refused by name', () => {
  expect(parseDurableOptions([])).toMatchObject({ schedules: 50, events: 10_000, subscribers: 50, redis: 'standalone' })
  expect(parseDurableOptions(['--', '--plant', 'no-read', '--redis', 'cluster'])).toMatchObject({ plant: 'no-read', redis: 'cluster' })
  for (const [name, value] of [
    ['--events', '0'],
    ['--redis', 'many'],
    ['--plant', 'twice'],
  ] as const)
    expect(() => parseDurableOptions([name, value])).toThrow(name)
})
