import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { playFuzz } from './play-fuzz.ts'

// All planted bugs are detected by one of the first 127. `FUZZ_SCHEDULES=20000` plays more; `FUZZ_SEED=123` plays one again.
const SCHEDULES = Number(process.env['FUZZ_SCHEDULES'] ?? 250)
const SEED = process.env['FUZZ_SEED']

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] }))
afterEach(() => void vi.useRealTimers())

test('[S3] [S4] [S12] [S13] [S14] clients converge and changes apply once', async () => {
  const seeds = SEED === undefined ? Array.from({ length: SCHEDULES }, (_, n) => n + 1) : [Number(SEED)]
  let acknowledged = 0
  for (const seed of seeds) {
    const result = await playFuzz(seed)
    expect(result.violations, `Play it again with FUZZ_SEED=${seed}`).toEqual([])
    acknowledged += result.acknowledged
  }
  if (SEED === undefined) expect(acknowledged).toBeGreaterThan(SCHEDULES)
}, 600_000)

test('a seed plays the same schedule again, to the message', async () => {
  const { operations, observations } = await playFuzz(7)
  const again = await playFuzz(7)
  expect(again.operations).toEqual(operations)
  expect(again.observations).toEqual(observations)
  expect((await playFuzz(8)).operations).not.toEqual(operations)
})
