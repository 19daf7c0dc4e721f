import { expect, test } from 'vitest'
import { checkHistory, type Effect, type FinalEntry, type Json, type Observation, type Operation } from '../src/index.ts'

// Small histories written by hand: correct ones without violations, and violations of each rule.

let count = 0
const KEY = 'k'

type Outcome = Operation['outcome']

/** An operation of `client` that ran from one time to another. */
const operation = (client: string, effect: Effect, [startMs, endMs]: [number, number?], outcome: Outcome): Operation => ({
  id: `${client}#${++count}`,
  client,
  key: KEY,
  effect,
  startMs,
  endMs,
  outcome,
})
const done = (version: number, value?: Json): Outcome => ({ kind: 'done', version, value })
const unknown: Outcome = { kind: 'unknown' }
const refused: Outcome = { kind: 'refused', code: 'CONFLICT' }
const set = (value: Json, ifVersion?: number): Effect => ({ op: 'set', value, ifVersion })
const add = (by: number): Effect => ({ op: 'increment', by })
const patch = (value: Record<string, Json>): Effect => ({ op: 'patch', patch: value })
const saw = (client: string, version: number, value?: Json, atMs = 1_000): Observation => ({
  ...{ client, key: KEY, version, atMs },
  content: value === undefined ? undefined : { value },
})
const stored = (version: number, value?: Json): FinalEntry[] => [
  { key: KEY, version, content: value === undefined ? { absent: true } : { value } },
]

/** The rules that a history breaks, each once. */
const broken = (operations: Operation[], observations: Observation[], final: FinalEntry[]): string[] =>
  [...new Set(checkHistory({ operations, observations, final }).map(({ rule }) => rule))].sort()

test('a correct history of sets, removals and conditions has no violation', () => {
  const operations = [
    operation('a', set('x'), [0, 5], done(10)),
    operation('b', set('y', 10), [4, 8], done(20)),
    operation('a', set('z', 10), [6, 9], refused),
    operation('b', { op: 'remove' }, [10, 12], done(30)),
    operation('a', set('new', 0), [13, 15], done(40)),
  ]
  const observations = [saw('a', 0), saw('a', 10, 'x'), saw('a', 20, 'y'), saw('b', 20), saw('b', 40, 'new'), saw('a', 40, 'new')]
  expect(broken(operations, observations, stored(40, 'new'))).toEqual([])
})

test('correct increments and patches, some of unknown outcome, have no violation', () => {
  const increments = [
    operation('a', add(1), [0, 5], done(10, 1)),
    operation('b', add(10), [0], unknown),
    operation('b', add(100), [0], unknown),
    operation('a', add(2), [6, 9], done(30, 13)),
  ]
  expect(broken(increments, [saw('a', 30, 13)], stored(30, 13))).toEqual([])
  const patches = [
    operation('a', patch({ a: 1 }), [0, 5], done(10)),
    operation('b', patch({ b: { c: 2 } }), [0, 5], done(10)),
    operation('c', patch({ a: null }), [6, 8], done(20)),
  ]
  expect(broken(patches, [saw('a', 10, { a: 1, b: { c: 2 } }), saw('a', 20)], stored(20, { b: { c: 2 } }))).toEqual([])
})

test('an unknown set may have been observed, overwritten or never applied', () => {
  const operations = [
    operation('a', set('x'), [0], unknown),
    operation('a', set('y'), [0], unknown),
    operation('b', set('z'), [5, 6], done(20)),
  ]
  expect(broken(operations, [saw('b', 10, 'x', 3), saw('b', 20, 'z')], stored(20, 'z'))).toEqual([])
})

test('[kept] an acknowledged write that the store no longer has is reported', () => {
  const operations = [operation('a', set('x'), [0, 5], done(10)), operation('a', set('y'), [6, 9], done(20))]
  expect(broken(operations, [], stored(10, 'x'))).toEqual(['kept'])
  expect(broken(operations, [], stored(0))).toEqual(['kept'])
})

test('[kept] an acknowledged write missing in a later one is reported', () => {
  const operations = [operation('a', patch({ a: 1 }), [0, 5], done(10)), operation('b', patch({ b: 1 }), [6, 9], done(20))]
  expect(broken(operations, [], stored(20, { b: 1 }))).toEqual(['follows'])
})

test('[once] an effect that occurs twice is reported', () => {
  const operations = [operation('a', set('x'), [0, 50], done(10)), operation('b', set('y'), [0, 50], done(20))]
  expect(broken(operations, [], stored(30, 'x'))).toEqual(['once'])
  const increment = operation('a', add(3), [0, 50], done(20, 6))
  expect(broken([increment], [saw('b', 10, 3), saw('b', 20, 6)], stored(20, 6))).toEqual(['once', 'sum'])
  const sharing = [operation('a', set('x'), [0, 5], done(10)), operation('b', set('x'), [0, 5], done(10))]
  expect(broken(sharing, [], stored(10, 'x'))).toEqual(['once'])
})

test('[once] an unknown outcome explains one effect, not two', () => {
  const operations = [operation('a', add(5), [0], unknown), operation('b', add(1), [0, 9_000], done(40, 11))]
  expect(broken(operations, [saw('a', 10, 5), saw('a', 20, 10), saw('a', 40)], stored(40, 11))).toEqual(['follows', 'sum'])
})

test('[forward] a version that decreases on a client is reported', () => {
  const operations = [operation('a', set('x'), [0, 5], done(10)), operation('a', set('y'), [6, 9], done(20))]
  const observations = [saw('b', 10, 'x'), saw('b', 20, 'y'), saw('b', 10, 'x'), saw('b', 20, 'y')]
  expect(broken(operations, observations, stored(20, 'y'))).toEqual(['forward'])
  expect(broken(operations, [saw('a', 20, 'y'), saw('b', 10, 'x'), saw('b', 20, 'y')], stored(20, 'y'))).toEqual([])
})

test('[one-value] a version with different values is reported', () => {
  const operations = [operation('a', set('x'), [0, 5], done(10)), operation('b', set('y'), [6, 9], done(20))]
  expect(broken(operations, [saw('a', 10, 'x'), saw('b', 10, 'w'), saw('a', 20), saw('b', 20)], stored(20, 'y'))).toEqual(['one-value'])
})

test('[sum] a lost or doubled increment is reported, even if unobserved', () => {
  const operations = [1, 2, 3].map((n) => operation('a', add(n), [n * 10, n * 10 + 1], done(n)))
  expect(broken(operations, [], stored(3, 6))).toEqual([])
  expect(broken(operations, [], stored(3, 4))).toEqual(['follows', 'sum'])
  const unsure = [...operations, operation('b', add(10), [0], unknown), operation('b', add(20), [0], unknown)]
  expect(broken(unsure, [], stored(4, 26))).toEqual([])
  expect(broken(unsure, [], stored(4, 21))).toEqual(['sum'])
})

test('[follows] a sum, merge or condition without a cause is reported', () => {
  const increments = [operation('a', add(1), [0, 5], done(10, 1)), operation('b', add(1), [0, 5], done(20, 1))]
  expect(broken(increments, [], [])).toEqual(['follows'])
  const conditions = [
    operation('a', set('x'), [0, 9], done(10)),
    operation('b', set('y'), [0, 9], done(20)),
    operation('a', set('z', 10), [0, 9], done(30)),
  ]
  expect(broken(conditions, [], stored(30, 'z'))).toEqual(['follows'])
  const onAbsent = [operation('a', set('x'), [0, 9], done(10)), operation('b', set('y', 0), [0, 9], done(20))]
  expect(broken(onAbsent, [], stored(20, 'y'))).toEqual(['follows'])
})

test('[follows] an unobserved effect explains only its own difference', () => {
  const operations = [
    operation('a', add(1), [0, 5], done(10, 1)),
    operation('b', add(10), [0], unknown),
    operation('b', add(100), [0], unknown),
    operation('a', add(1), [6, 9], done(40, 112)),
  ]
  expect(broken(operations, [], stored(40, 112))).toEqual([])
  const observed = [saw('c', 30, 111, 5), saw('c', 40)]
  expect(broken(operations, observed, stored(40, 112))).toEqual([])
  expect(broken(operations, [saw('c', 30, 110, 5), saw('c', 40)], stored(40, 112))).toEqual(['follows'])
})

test('[follows] a value that no operation wrote is reported', () => {
  expect(broken([operation('a', set('x'), [0, 5], done(10))], [], stored(20, 'other'))).toEqual(['follows'])
  expect(broken([], [saw('a', 10)], [])).toEqual(['follows'])
})

test('[real-time] an operation that ended earlier with a later version is reported', () => {
  const operations = [operation('a', set('x'), [0, 5], done(20)), operation('b', set('y'), [6, 9], done(10))]
  expect(broken(operations, [], stored(20, 'x'))).toEqual(['real-time'])
  const together = [operation('a', set('x'), [0, 6], done(20)), operation('b', set('y'), [6, 9], done(10))]
  expect(broken(together, [], stored(20, 'x'))).toEqual([])
})

test('[real-time] an observation before its operation began is reported', () => {
  const operations = [operation('a', set('x'), [10, 15], done(10))]
  expect(broken(operations, [saw('b', 10, 'x', 9)], stored(10, 'x'))).toEqual(['real-time'])
})

test('[refused] a refused write with an effect is reported', () => {
  const operations = [operation('a', set('x'), [0, 5], done(10)), operation('b', set('y', 5), [0, 5], refused)]
  expect(broken(operations, [], stored(20, 'y'))).toEqual(['refused'])
})

test('[converged] a client whose last content is not the stored one is reported', () => {
  const operations = [operation('a', set('x'), [0, 5], done(10)), operation('a', set('y'), [6, 9], done(20))]
  expect(broken(operations, [saw('a', 20, 'y'), saw('b', 10, 'x')], stored(20, 'y'))).toEqual(['converged'])
})
