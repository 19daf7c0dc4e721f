import { expect, test } from 'vitest'
import { createClockBounds } from '../src/redis/clock-bounds.ts'

/** Redis' clock is 1,000,000 ms ahead. */
const AHEAD = 1_000_000

function createModel() {
  let now = 0
  const bounds = createClockBounds(
    () => 42,
    () => now,
  )
  return {
    bounds,
    /** A request that Redis runs at the second time, and whose reply is read at the third. */
    ask: (sent: number, run: number, read: number, ahead = AHEAD): void => {
      now = read
      bounds.sample(sent, run + ahead)
    },
    at: (time: number): [earliest: number, latest: number] => {
      now = time
      return [bounds.earliest() - time - AHEAD, bounds.latest() - time - AHEAD]
    },
  }
}

test('[R1] the clock of Redis is within the round trips, however late a reply is read', () => {
  const { ask, at, bounds } = createModel()
  expect([bounds.earliest(), bounds.latest()]).toEqual([42, 42])
  // The process was stopped before it read the reply.
  ask(0, 10, 5_000)
  expect(at(6_000)).toEqual([-4_990, 10])
  ask(6_000, 6_003, 6_004)
  expect(at(7_000)).toEqual([-1, 3])
  ask(7_000, 7_400, 7_500)
  expect(at(8_000)).toEqual([-1, 3])
})

test('[R1] a clock that drifts or was set is followed', () => {
  const { ask, at } = createModel()
  ask(0, 1, 2)
  ask(70_000, 70_020, 70_040)
  expect(at(71_000)).toEqual([-1, 1])
  ask(130_000, 130_020, 130_040)
  expect(at(140_000)).toEqual([-20, 20])
  ask(141_000, 141_001, 141_002, AHEAD - 500)
  expect(at(142_000)).toEqual([-501, -499])
})
