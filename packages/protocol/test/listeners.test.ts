import { createListeners } from '@tutti/protocol/internal'
import { expect, test, vi } from 'vitest'

test('[N4] a listener that throws or rejects does not stop the others', async () => {
  const onError = vi.fn<(error: unknown) => void>()
  const listeners = createListeners<[string]>(onError)
  const received: string[] = []
  listeners.add(() => {
    throw new Error('thrown')
  })
  const rejecting = (): unknown => Promise.reject(new Error('rejected'))
  listeners.add(rejecting)
  listeners.add((text) => void received.push(text))
  listeners.emit('first')
  await vi.waitFor(() => expect(onError).toHaveBeenCalledTimes(2), { timeout: 30_000 })
  expect(received).toEqual(['first'])
})

test('[N3] the same function added twice runs twice, and each is removed alone', () => {
  const listeners = createListeners<[]>(() => {})
  const listener = vi.fn<() => void>()
  const removeFirst = listeners.add(listener)
  listeners.add(listener)
  listeners.emit()
  expect(listener).toHaveBeenCalledTimes(2)
  removeFirst()
  removeFirst()
  expect(listeners.size).toBe(1)
  listeners.emit()
  expect(listener).toHaveBeenCalledTimes(3)
})

test('[N3] a listener removed during emit does not run; one added runs at the next', () => {
  const listeners = createListeners<[]>(() => {})
  const log: string[] = []
  listeners.add(() => {
    log.push('first')
    removeSecond()
    if (log.length === 1) listeners.add(() => void log.push('third'))
  })
  const removeSecond = listeners.add(() => void log.push('second'))
  listeners.emit()
  expect(log).toEqual(['first'])
  listeners.emit()
  expect(log).toEqual(['first', 'first', 'third'])
})

test('[N7] clear removes all, also during emit', () => {
  const listeners = createListeners<[]>(() => {})
  const last = vi.fn<() => void>()
  listeners.add(() => listeners.clear())
  listeners.add(last)
  listeners.emit()
  listeners.emit()
  expect([last.mock.calls.length, listeners.size]).toEqual([0, 0])
})
