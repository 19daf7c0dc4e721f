import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createDelayed } from '../src/connection/delayed.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }))
afterEach(() => void vi.useRealTimers())

test('values wait together and are processed in order', () => {
  const ran: number[] = []
  const runLater = createDelayed((value: number) => void ran.push(value), 100)
  runLater(1)
  vi.advanceTimersByTime(60)
  runLater(2)
  expect(ran).toEqual([])
  vi.advanceTimersByTime(40)
  expect(ran).toEqual([1, 2])
  runLater(3)
  vi.advanceTimersByTime(99)
  expect(ran).toEqual([1, 2])
  vi.advanceTimersByTime(1)
  expect(ran).toEqual([1, 2, 3])
})

test('many values are processed in several turns of the event loop', async () => {
  const values = Array.from({ length: 1_000 }, (_, index) => index)
  const ran: number[] = []
  const runLater = createDelayed((value: number) => void ran.push(value), 100)
  for (const value of values) runLater(value)
  vi.advanceTimersByTime(100)
  let turns = 0
  for (; ran.length < values.length && turns < 100; turns += 1) await nextTurn()
  expect(ran).toEqual(values)
  expect(turns).toBeGreaterThan(10)
})
