import { seededRandom } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startLoad, type Load } from '../src/load.ts'
import { isStateBug, STATE_BUGS, type StateBug } from '../src/planted-bug.ts'
import type { TopologyName } from '../src/redis-topology.ts'
import { runSchedule } from '../src/run-schedule.ts'
import { FAULTS, planSchedule } from '../src/schedule.ts'

/** The seeds of schedules that detect the bugs; one may by chance not exercise its bug, then the next ones do. */
const DETECTING: Record<StateBug, number> = { twice: 1, 'no-repair': 2, 'any-version': 1 }

/** Fewer than in the command: more of them detect no more in such a short time. */
const CLIENTS = 6
const SECONDS = 2

let load: Load

beforeAll(async () => {
  load = await startLoad(1)
})

afterAll(() => load.end())

test('a seed repeats its schedule, and all faults occur', () => {
  const plan = (seed: number) => planSchedule(seededRandom(seed), 6, 3)
  expect(plan(7)).toEqual(plan(7))
  expect(plan(7)).not.toEqual(plan(8))
  const names = (topology: TopologyName) =>
    new Set(Array.from({ length: 50 }, (_, seed) => planSchedule(seededRandom(seed), 6, 3, topology).map(({ name }) => name)).flat())
  for (const topology of ['sentinel', 'cluster'] as const) expect([...names(topology)].sort()).toEqual(Object.keys(FAULTS).sort())
  expect(names('standalone').has('reconfigure')).toBe(false)
})

for (const seed of [7, 9]) {
  test(`[F1] seed ${seed}: no acknowledged write is lost or doubled, and all end in sync`, async () => {
    const { violations, faults, acknowledged, observations } = await runSchedule(load, seed, SECONDS, { clients: CLIENTS })
    expect(violations, JSON.stringify(faults)).toEqual([])
    expect(acknowledged).toBeGreaterThan(30)
    expect(observations).toBeGreaterThan(acknowledged)
  })
}

for (const bug of Object.keys(STATE_BUGS).filter(isStateBug)) {
  test(`[F1] the checks detect the planted bug ${bug}`, async () => {
    const faulty = await startLoad(1, bug)
    try {
      let violations = 0
      const first = DETECTING[bug]
      for (let seed = first; seed < first + 8 && violations === 0; seed += 1)
        violations = (await runSchedule(faulty, seed, SECONDS, { bug, clients: CLIENTS })).violations.length
      expect(violations).toBeGreaterThan(0)
    } finally {
      await faulty.end()
    }
  })
}
