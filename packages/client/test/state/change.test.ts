import { expect, test } from 'vitest'
import { applyChange, mergeChanges, type Change } from '../../src/state/change.ts'

const increment = (by: number, initial = 0): Change => ({ op: 'increment', by, initial })

test('[S9] an update may remove; one that throws on the shown value changes nothing', () => {
  expect(applyChange('a', { op: 'update', run: () => undefined })).toBe(undefined)
  const failing: Change = {
    op: 'update',
    run: () => {
      throw new Error('not on this one')
    },
  }
  expect(applyChange('a', failing)).toBe('a')
})

test('[S7] an increment that the server will refuse has no effect', () => {
  expect(applyChange('text', increment(1))).toBe('text')
  expect(applyChange(undefined, increment(1, 10))).toBe(11)
})

test('[S14] of two sets with the same condition the last counts', () => {
  const second: Change = { op: 'set', value: 2, ifVersion: 5 }
  expect(mergeChanges({ op: 'set', value: 1, ifVersion: 5 }, second)).toBe(second)
  expect(mergeChanges({ op: 'set', value: 1, ifVersion: 4 }, second)).toBe(undefined)
  expect(mergeChanges({ op: 'set', value: 1 }, second)).toBe(undefined)
})

test('[S14] increments with one initial value are added if their sum is exact', () => {
  expect(mergeChanges(increment(1, 7), increment(2, 7))).toEqual(increment(3, 7))
  expect(mergeChanges(increment(1, 7), increment(2, 8))).toBe(undefined)
  expect(mergeChanges(increment(Number.MAX_SAFE_INTEGER), increment(1))).toBe(undefined)
})

test('[S14] patches are merged if one patch can express both', () => {
  expect(mergeChanges({ op: 'patch', patch: { a: 1, b: 1 } }, { op: 'patch', patch: { b: null } })).toEqual({
    op: 'patch',
    patch: { a: 1, b: null },
  })
  expect(mergeChanges({ op: 'patch', patch: { a: null } }, { op: 'patch', patch: { a: { b: 1 } } })).toBe(undefined)
})

test('[S14] changes of different kinds are sent separately, and updates always', () => {
  const changes: Change[] = [
    { op: 'set', value: { a: 1 } },
    increment(1),
    { op: 'patch', patch: { a: 1 } },
    { op: 'update', run: (value) => value },
  ]
  const merged = changes.flatMap((first) =>
    changes.filter((second) => first.op !== second.op || first.op === 'update').map((second) => mergeChanges(first, second)),
  )
  expect(merged).toEqual(Array.from({ length: 13 }, () => undefined))
})
