import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createReplyTimeout } from '../src/redis/reply-timeout.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => void vi.useRealTimers())

test('[N5] a command without a reply times out after the timeout, not before', () => {
  const onTimeout = vi.fn<() => void>()
  createReplyTimeout({ timeoutMs: 100, onTimeout }).sent()
  vi.advanceTimersByTime(99)
  expect(onTimeout).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(onTimeout).toHaveBeenCalledOnce()
})

test('[N5] a later command times out on its own time if earlier ones were answered', () => {
  const onTimeout = vi.fn<() => void>()
  const timeout = createReplyTimeout({ timeoutMs: 100, onTimeout })
  const first = timeout.sent()
  vi.advanceTimersByTime(60)
  timeout.sent()
  timeout.answered(first)
  vi.advanceTimersByTime(98)
  expect(onTimeout).not.toHaveBeenCalled()
  vi.advanceTimersByTime(2)
  expect(onTimeout).toHaveBeenCalledOnce()
})

test('[N5] commands with replies share one timer and leave none', () => {
  const onTimeout = vi.fn<() => void>()
  const timeout = createReplyTimeout({ timeoutMs: 100, onTimeout })
  for (let n = 0; n < 10; n += 1) timeout.answered(timeout.sent())
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(100)
  expect([vi.getTimerCount(), onTimeout.mock.calls]).toEqual([0, []])
  timeout.sent()
  timeout.stop()
  expect(vi.getTimerCount()).toBe(0)
})
