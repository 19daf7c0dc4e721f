import { RealtimeError } from '@tutti/protocol'
import type { StoredEntry } from '@tutti/storage-driver/contract'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createExpiry, type Expiry } from '../src/state/expiry.ts'

let reads: string[]
let watched: Set<string>
let errors: unknown[]
let answer: (key: string) => StoredEntry
let timers: Expiry

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
  reads = []
  errors = []
  watched = new Set(['a', 'b'])
  answer = (key) => ({ key, version: 9, removed: true })
  timers = createExpiry({
    store: {
      now: () => Date.now() + 60_000,
      read: async ([key = '']) => {
        reads.push(`${key} at ${Date.now() - 1_000_000}`)
        return [answer(key)]
      },
    },
    isWatched: (key) => watched.has(key),
    onError: (error) => errors.push(error),
  })
})

afterEach(() => {
  timers.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const inMs = (ms: number): number => Date.now() + 60_000 + ms

test('[S18] each watched entry is read once its time has come on the store’s clock', async () => {
  timers.note('a', 1, inMs(1_000))
  timers.note('b', 1, inMs(50))
  timers.note('unwatched', 1, inMs(10))
  await vi.advanceTimersByTimeAsync(100_000)
  expect(reads).toEqual(['b at 55', 'a at 1005'])
})

test('[S18] a newer version decides in any order; without expiry nothing is read', async () => {
  timers.note('a', 2, inMs(2_000))
  timers.note('a', 1, inMs(100))
  timers.note('a', 1, undefined)
  timers.note('b', 1, inMs(100))
  timers.note('b', 2, undefined)
  await vi.advanceTimersByTimeAsync(100_000)
  expect(reads).toEqual(['a at 2005'])
})

test('[S18] lifetimes beyond what one timer can wait end on time as well', async () => {
  const month = 30 * 86_400_000
  const end = Date.now() + month
  answer = (key) => (Date.now() < end ? { key, version: 1, value: 1, expiresAt: end + 60_000 } : { key, version: 2, removed: true })
  timers.note('a', 1, inMs(month))
  await vi.advanceTimersByTimeAsync(2 * month)
  expect(reads).toEqual([`a at ${2 ** 31 - 1}`, `a at ${month + 5}`])
})

test('[S18] [F4] an unavailable store is queried again, and lasting errors reported', async () => {
  let away = true
  let left = 2
  answer = (key) => {
    if (away) throw new RealtimeError('UNAVAILABLE')
    left -= 1
    return left > 0 ? { key, version: 1, value: 1, expiresAt: inMs(-1) } : { key, version: 2, removed: true }
  }
  timers.note('a', 1, inMs(1_000))
  await vi.advanceTimersByTimeAsync(30_000)
  const asked = reads.length
  expect(asked).toBeGreaterThan(10)
  away = false
  await vi.advanceTimersByTimeAsync(60_000)
  expect(reads).toHaveLength(asked + 2)
  expect(errors).toEqual([])
  answer = () => {
    throw new RealtimeError('WRONG_TYPE')
  }
  timers.note('a', 3, inMs(1))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(errors).toMatchObject([{ code: 'WRONG_TYPE' }])
})

test('[S18] nothing is read without subscribers, and no timers accumulate', async () => {
  for (let key = 0; key < 20_000; key += 1) {
    watched = new Set([`key:${key}`])
    timers.note(`key:${key}`, 1, inMs(1_000_000))
  }
  expect(vi.getTimerCount()).toBeLessThan(2_500)
  await vi.advanceTimersByTimeAsync(2_000_000)
  expect(reads).toEqual(['key:19999 at 1000005'])
})
