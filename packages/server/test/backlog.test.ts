import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchBacklog, type Backlog } from '../src/connection/backpressure.ts'

let engine: EventEmitter
let told: string[]
let backlog: Backlog

beforeEach(() => {
  vi.useFakeTimers()
  engine = new EventEmitter()
  told = []
  const options = { maxPackets: 3, maxBytes: 100, onFull: () => told.push('full'), onOverflow: () => told.push('overflow') }
  backlog = watchBacklog(engine as never, options)
})

afterEach(() => {
  engine.emit('close')
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const send = (bytes: number, count = 1): void => {
  for (let packet = 0; packet < count; packet += 1) engine.emit('packetCreate', { type: 'message', data: 'x'.repeat(bytes) })
}
const flush = (): void => {
  engine.emit('flush')
  engine.emit('drain')
}
const pass = (): void => void vi.advanceTimersByTime(1_000)

test('[C4] a queue is full when more packets or bytes wait than may, and no longer when they went out', () => {
  send(1, 3)
  send(97)
  flush()
  send(50, 2)
  pass()
  expect([told, backlog.isFull]).toEqual([[], false])
  send(1)
  pass()
  expect([told, backlog.isFull]).toEqual([['full'], true])
  flush()
  expect(backlog.isFull).toBe(false)
  send(1, 4)
  pass()
  expect(told).toEqual(['full', 'full'])
})

test('[C4] a burst that goes out at once does not make it full, however large it is', () => {
  for (let turn = 0; turn < 10; turn += 1) {
    send(1_000, 100)
    vi.advanceTimersByTime(5)
    flush()
  }
  pass()
  expect(told).toEqual([])
})

test('[C4] it flows over, once, when as much again has come as may wait', () => {
  send(101)
  pass()
  send(100)
  expect(told).toEqual(['full'])
  send(1)
  send(1_000)
  expect(told).toEqual(['full', 'overflow'])
})

test('[C4] what waits for the queue to empty runs at once where nothing waits, else with the next drain, once', () => {
  backlog.afterDrain(() => told.push('now'))
  send(1)
  backlog.afterDrain(() => told.push('later'))
  expect(told).toEqual(['now'])
  flush()
  flush()
  expect(told).toEqual(['now', 'later'])
})

test('[C4] packets without data and of bytes count as well', () => {
  for (let packet = 0; packet < 4; packet += 1) engine.emit('packetCreate', { type: 'ping' })
  pass()
  flush()
  engine.emit('packetCreate', { type: 'message', data: Buffer.alloc(101) })
  pass()
  expect(told).toEqual(['full', 'full'])
})
