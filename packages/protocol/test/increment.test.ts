import { expect, test } from 'vitest'
import { incremented } from '../src/index.ts'

const { MAX_SAFE_INTEGER, MAX_VALUE, MIN_SAFE_INTEGER, NaN: notANumber } = Number

test.each([
  [0, 1, 1],
  [5, -7, -2],
  [0.5, 0.25, 0.75],
  [MAX_SAFE_INTEGER - 1, 1, MAX_SAFE_INTEGER],
  [MIN_SAFE_INTEGER + 1, -1, MIN_SAFE_INTEGER],
  [1, 0, 1],
])('[S7] %d and %d is %d', (value, by, sum) => expect(incremented(value, by)).toBe(sum))

test.each([
  ['the safe integers above', MAX_SAFE_INTEGER, 1],
  ['the safe integers below', MIN_SAFE_INTEGER, -1],
  ['the safe integers by far', 1e300, 1],
  ['the finite numbers', MAX_VALUE, MAX_VALUE],
  ['the finite numbers by NaN', 1, notANumber],
  ['the finite numbers by Infinity', 1, Number.POSITIVE_INFINITY],
])('[S7] a sum that leaves %s has no result', (_, value, by) => expect(incremented(value, by)).toBeUndefined())

test.each([['1'], [null], [undefined], [true], [[1]], [1n]])('[S7] %s is not a number and has no result', (value) => {
  expect(incremented(value, 1)).toBeUndefined()
})
