import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createBackpressure, type Backpressure, type PacketQueue } from '../src/connection/backpressure.ts'

/** The parts of Engine.IO's socket that are counted. */
const createEngine = () => ({ writeBuffer: [] as { data?: string | Buffer }[], server: new EventEmitter() })

let engine: ReturnType<typeof createEngine>
let told: string[]
let backpressure: Backpressure<string>
let backlog: PacketQueue

beforeEach(() => {
  vi.useFakeTimers()
  engine = createEngine()
  told = []
  backpressure = createBackpressure<string>({
    maxPackets: 3,
    maxBytes: 100,
    onFull: (owner) => told.push(`${owner} is full`),
    onOverflow: (owner) => told.push(`${owner} overflows`),
  })
  backlog = backpressure.open(engine, 'a')
})

afterEach(() => {
  backlog.close()
  backpressure.close()
  expect(vi.getTimerCount()).toBe(0)
  expect(engine.server.eventNames()).toEqual([])
  vi.useRealTimers()
})

const queue = (packet: { data?: string | Buffer }): void => {
  engine.writeBuffer.push(packet)
  backlog.count()
}
const send = (bytes: number, count = 1): void => {
  for (let packet = 0; packet < count; packet += 1) queue({ data: 'x'.repeat(bytes) })
}
const flush = (): void => {
  engine.server.emit('flush', engine)
  engine.writeBuffer = []
  engine.server.emit('drain', engine)
}
const pass = (): void => void vi.advanceTimersByTime(1_000)

test('[C4] a queue is full above its limit of packets or bytes, until it drains', () => {
  send(1, 3)
  send(97)
  flush()
  send(50, 2)
  pass()
  expect([told, backlog.isFull]).toEqual([[], false])
  send(1)
  pass()
  expect([told, backlog.isFull]).toEqual([['a is full'], true])
  flush()
  expect(backlog.isFull).toBe(false)
  send(1, 4)
  pass()
  expect(told).toEqual(['a is full', 'a is full'])
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
  expect(told).toEqual(['a is full'])
  send(1)
  send(1_000)
  expect(told).toEqual(['a is full', 'a overflows'])
})

test('[C4] afterDrain runs at once on an empty queue, else with the next drain, once', () => {
  backlog.afterDrain(() => told.push('now'))
  send(1)
  backlog.afterDrain(() => told.push('later'))
  expect(told).toEqual(['now'])
  flush()
  flush()
  expect(told).toEqual(['now', 'later'])
})

test('[C4] packets without data and of bytes count as well', () => {
  for (let packet = 0; packet < 4; packet += 1) queue({})
  pass()
  flush()
  queue({ data: Buffer.alloc(101) })
  pass()
  expect(told).toEqual(['a is full', 'a is full'])
})

test('[C4] packets of the application are counted with the next server packet', () => {
  engine.writeBuffer.push({ data: 'x'.repeat(60) })
  send(60)
  pass()
  expect(told).toEqual(['a is full'])
})

test('[C4] the queue of one connection leaves those of others alone', () => {
  send(101)
  pass()
  const other = { ...createEngine(), server: engine.server }
  backpressure.open(other, 'b')
  engine.server.emit('flush', other)
  engine.server.emit('flush', 'another library')
  expect(backlog.isFull).toBe(true)
})
