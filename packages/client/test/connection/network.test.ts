import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { systemNetwork } from '../../src/connection/network.ts'

/** Gives the global scope what a browser's has, for one test. */
function browser(navigator: { onLine?: boolean } | undefined): { events: EventTarget; document: { visibilityState: string } } {
  const [events, document] = [new EventTarget(), { visibilityState: 'visible' }]
  vi.stubGlobal('navigator', navigator)
  vi.stubGlobal('document', document)
  vi.stubGlobal('addEventListener', events.addEventListener.bind(events))
  vi.stubGlobal('removeEventListener', events.removeEventListener.bind(events))
  onTestFinished(() => void vi.unstubAllGlobals())
  return { events, document }
}

/** Counts what `onChange` reports, until the test is over or `stop` is called. */
function countChanges(): { changes: number; stop(): void } {
  const count = { changes: 0, stop: systemNetwork.onChange(() => (count.changes += 1)) }
  onTestFinished(count.stop)
  return count
}

test('[C1] the machine is offline only if it reports so', () => {
  const said = [{ onLine: true }, { onLine: false }, {}, undefined].map((navigator) => {
    browser(navigator)
    return systemNetwork.online()
  })
  expect(said).toEqual([true, false, true, true])
})

const NAMES = ['online', 'offline', 'pageshow', 'visibilitychange', 'resume']

test('[C6] reports changes of the network and of the page until unsubscribed', () => {
  const { events } = browser({ onLine: true })
  const count = countChanges()
  for (const [index, name] of NAMES.entries()) {
    events.dispatchEvent(new Event(name))
    expect([name, count.changes]).toEqual([name, index + 1])
  }
  events.dispatchEvent(new Event('load'))
  count.stop()
  for (const name of NAMES) events.dispatchEvent(new Event(name))
  expect(count.changes).toBe(NAMES.length)
})

test('[C6] while the page is hidden only the return of the network is reported', () => {
  const { events, document } = browser({ onLine: true })
  const count = countChanges()
  document.visibilityState = 'hidden'
  for (const name of NAMES) events.dispatchEvent(new Event(name))
  expect(count.changes).toBe(1)
})

test('[C6] works without browser events', () => {
  browser(undefined)
  for (const name of ['addEventListener', 'removeEventListener', 'document']) vi.stubGlobal(name, undefined)
  expect(() => systemNetwork.onChange(() => {})()).not.toThrow()
})

test('[C6] reports a timer that is 10 s late, unless the page is hidden', () => {
  const { document } = browser({ onLine: true })
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const count = countChanges()
  /** Timers do not advance while the machine sleeps. */
  const sleep = (ms: number): void => {
    vi.setSystemTime(Date.now() + ms)
    vi.advanceTimersByTime(10_000)
  }
  vi.advanceTimersByTime(60_000)
  sleep(10_000)
  expect(count.changes).toBe(0)
  sleep(10_001)
  expect(count.changes).toBe(1)
  vi.advanceTimersByTime(60_000)
  document.visibilityState = 'hidden'
  sleep(50_000)
  expect(count.changes).toBe(1)
  count.stop()
  expect(vi.getTimerCount()).toBe(0)
})

test('[C6] watching for wake-ups does not keep a process alive', async () => {
  const script = `
    import { createRealtimeClient } from '@tutti/client'
    const link = { request: () => {}, close: () => {} }
    const clock = { now: Date.now, after: () => () => {} }
    const client = createRealtimeClient({ clock, transport: () => link })
    console.log(client.connection.current.status)`
  const options = ['--conditions=@tutti/source', '--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, options, { cwd: import.meta.dirname, timeout: 120_000 })
  expect(stdout).toBe('connecting\n')
})
