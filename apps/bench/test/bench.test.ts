import { expect, test } from 'vitest'
import { runBench } from '../src/run-bench.ts'

test('both sides deliver every write of a short run once, and every figure is a finite number', async () => {
  const [round, ...more] = await runBench({
    ...{ rounds: 1, connections: 3, keys: 7, valueBytes: 60 },
    warmUp: { seconds: 30, rate: 0, maxWrites: 20 },
    phases: { paced: { seconds: 30, rate: 500, maxWrites: 100 }, full: { seconds: 30, rate: 0, maxWrites: 300 } },
  })
  expect(more).toEqual([])
  const measured = { paced: round?.paced, full: round?.full }
  expect(measured).toMatchObject({
    paced: { tutti: whole(100), control: whole(100) },
    full: { tutti: whole(300), control: whole(300) },
  })
  for (const sides of Object.values(measured)) {
    for (const figures of Object.values(sides ?? {})) expect(Object.values(figures).every(Number.isFinite)).toBe(true)
  }
}, 120_000)

const whole = (writes: number) => ({ sent: writes, acked: writes, delivered: writes, doubled: 0 })
