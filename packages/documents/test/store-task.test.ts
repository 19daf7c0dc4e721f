import { expect, test } from 'vitest'
import { nextIntervalMs } from '../src/server/store-task.ts'

test('[D4] one slow write delays the next by at most 20 intervals', () => {
  expect([0, 49, 50, 60, 999, 1_000, 8_000].map((tookMs) => nextIntervalMs(500, tookMs))).toEqual([
    500, 500, 500, 600, 9_990, 10_000, 10_000,
  ])
})
