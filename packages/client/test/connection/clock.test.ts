import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../../src/connection/clock.ts'

test('[C1] the system clock runs a planned function once it is due, unless cancelled', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const ran: string[] = []
  const start = systemClock.now()
  expect(start).toBe(Date.now())
  systemClock.after(100, () => ran.push('kept'))
  systemClock.after(100, () => ran.push('cancelled'))()
  await vi.advanceTimersByTimeAsync(99)
  expect(ran).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect([ran, systemClock.now() - start]).toEqual([['kept'], 100])
})

test('[C1] the system clock runs a function that is overdue at once, without a warning', () => {
  const setTimer = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => setTimer.mockRestore())
  // A negative delay prints a TimeoutNegativeWarning in Node.
  systemClock.after(-20, () => {})()
  expect(setTimer.mock.calls.map(([, delayMs]) => delayMs)).toEqual([0])
})
