import { expect, test } from 'vitest'
import { percentile, spreadOf } from '../src/measure/statistics.ts'

test('a percentile is one of the numbers, by the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7], 0.99)]).toEqual([50, 99, 7])
  expect(percentile([], 0.5)).toBeNaN()
})

test('a spread has the median of an odd and of an even number of numbers, in any order', () => {
  expect(spreadOf([10, 1, 2])).toEqual({ median: 2, min: 1, max: 10 })
  expect(spreadOf([10, 4, 1, 2])).toEqual({ median: 3, min: 1, max: 10 })
})
