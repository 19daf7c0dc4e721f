import { expect, test } from 'vitest'
import { startLoad } from '../src/load.ts'
import { runOutage } from '../src/run-outage.ts'
import { runReplay } from '../src/run-replay.ts'
import { runRollingRestart } from '../src/run-rolling-restart.ts'
import { runSlowReader } from '../src/run-slow-reader.ts'

test('[F4] through an outage clients stay connected and notified, with bounded memory', async () => {
  const load = await startLoad(1)
  const control = await runOutage(load, 1, false, 1_000)
  const away = await runOutage(load, 1, true, 1_000)
  await load.end()
  expect(away.violations).toEqual([])
  expect(away.notifiedClients).toBe(12)
  expect(away.usedBytes - control.usedBytes).toBeLessThan(20_000_000)
})

test('[C4] a connection that reads nothing costs little, and then catches up', async () => {
  const control = await runSlowReader(2, 'reads')
  const stalled = await runSlowReader(2, 'stalls')
  expect(stalled.usedBytes - control.usedBytes).toBeLessThan(5_000_000)
})

test('[E6] a client that is far behind costs little memory', async () => {
  const { usedBytes, received } = await runReplay(6_000, 2_000)
  expect(received).toBe(6_000)
  // The records are of 12 MB, and what the connection has not read is 1 MB at most.
  expect(usedBytes).toBeLessThan(5_000_000)
})

test('[C5] a rolling restart loses and doubles nothing', async () => {
  const { acknowledged, wrong, failed } = await runRollingRestart(30, 500)
  expect([wrong, failed]).toEqual([[], 0])
  expect(acknowledged).toBeGreaterThan(50)
})
