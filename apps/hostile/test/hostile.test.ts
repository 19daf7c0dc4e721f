import { expect, test } from 'vitest'
import { ATTACKS } from '../src/attacks/index.ts'
import { runHostile } from '../src/run-hostile.ts'

test('[X3] [X4] two instances resist every attack, and protected data stays so', async () => {
  const { attacks, breaches } = await runHostile({ seed: 7, messages: 2_000, forMs: 1_500, samples: 30 })
  expect(breaches).toEqual([])
  expect(attacks.map(({ name }) => name)).toEqual(Object.keys(ATTACKS))
  for (const { name, counts } of attacks) {
    expect(Object.keys(counts), name).not.toHaveLength(0)
    expect(Object.keys(counts).join(), name).not.toMatch(/INTERNAL|no answer|: let in/)
  }
  const drawn = attacks[0]?.counts ?? {}
  expect(drawn['storage:set: FORBIDDEN']).toBeGreaterThan(0)
  expect(drawn['storage:set: ok']).toBeGreaterThan(0)
  expect(drawn['storage:get: FORBIDDEN']).toBeGreaterThan(0)
  expect(drawn['event:publish: FORBIDDEN']).toBeGreaterThan(0)
  expect(drawn['document:open: ok']).toBeGreaterThan(0)
  expect(drawn['document:open: FORBIDDEN']).toBeGreaterThan(0)
  const presence = attacks.find(({ name }) => name === 'presence flood')?.counts ?? {}
  expect(presence['join ok']).toBeGreaterThan(0)
  const locks = attacks.find(({ name }) => name === 'lock flood')?.counts ?? {}
  for (const what of ['acquire', 'lock', 'join', 'lock in a room']) expect(locks[`${what} ok`], what).toBeGreaterThan(0)
  const accepted = Object.keys({ ...presence, ...locks }).filter((outcome) => /^(foreign|large|bad|unlocked) .*ok$/.test(outcome))
  expect(accepted).toEqual([])
})
