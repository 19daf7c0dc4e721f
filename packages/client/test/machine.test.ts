import { expect, onTestFinished, test, vi } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { systemNetwork } from '../src/network.ts'

/** Gives the global scope what a browser's has, for one test. */
function browser(navigator: { onLine?: boolean } | undefined): EventTarget {
  const events = new EventTarget()
  vi.stubGlobal('navigator', navigator)
  vi.stubGlobal('addEventListener', events.addEventListener.bind(events))
  vi.stubGlobal('removeEventListener', events.removeEventListener.bind(events))
  onTestFinished(() => void vi.unstubAllGlobals())
  return events
}

test('[C1] the machine is offline where it says so, and online where it says nothing', () => {
  const said = [{ onLine: true }, { onLine: false }, {}, undefined].map((navigator) => {
    browser(navigator)
    return systemNetwork.online()
  })
  expect(said).toEqual([true, false, true, true])
})

test('[C1] both changes of the network are heard until the undo, and a scope without events is none', () => {
  const events = browser({ onLine: true })
  let changes = 0
  const undo = systemNetwork.onChange(() => (changes += 1))
  for (const name of ['online', 'offline', 'load']) events.dispatchEvent(new Event(name))
  expect(changes).toBe(2)
  undo()
  for (const name of ['online', 'offline']) events.dispatchEvent(new Event(name))
  expect(changes).toBe(2)
  vi.stubGlobal('addEventListener', undefined)
  vi.stubGlobal('removeEventListener', undefined)
  expect(() => systemNetwork.onChange(() => {})()).not.toThrow()
})

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
