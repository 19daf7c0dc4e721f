import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../src/connection/clock.ts'

test('[C1] the time of the machine: what is planned runs once it is due, unless it is undone', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const ran: string[] = []
  const start = systemClock.now()
  expect(start).toBe(Date.now())
  systemClock.after(100, () => ran.push('kept'))
  systemClock.after(100, () => ran.push('undone'))()
  await vi.advanceTimersByTimeAsync(99)
  expect(ran).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect([ran, systemClock.now() - start]).toEqual([['kept'], 100])
})
