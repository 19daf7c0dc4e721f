import { seededRandom } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLoad, type Load } from '../src/load.ts'
import { runSchedule } from '../src/run-schedule.ts'
import { FAULTS, planSchedule } from '../src/schedule.ts'

let load: Load

beforeAll(async () => {
  load = await startLoad(2)
})

afterAll(() => load.end())

test('a seed repeats its schedule, and all faults come up', () => {
  const plan = (seed: number) => planSchedule(seededRandom(seed), 6, 3)
  expect(plan(7)).toEqual(plan(7))
  expect(plan(7)).not.toEqual(plan(8))
  const names = new Set(Array.from({ length: 50 }, (_, seed) => plan(seed).map(({ name }) => name)).flat())
  expect([...names].sort()).toEqual(Object.keys(FAULTS).sort())
})

for (const seed of [7, 9]) {
  test(`[F1] seed ${seed}: nothing acknowledged is lost or doubled, no version goes back, and all end in sync`, async () => {
    const { violations, faults, acknowledged, observations } = await runSchedule(load, seed, 3)
    expect(violations, JSON.stringify(faults)).toEqual([])
    expect(acknowledged).toBeGreaterThan(100)
    expect(observations).toBeGreaterThan(acknowledged)
  }, 120_000)
}
