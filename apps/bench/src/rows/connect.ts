import { setTimeout as delay } from 'node:timers/promises'
import { CONNECT_FIGURES, type ConnectPlan, type ConnectStep } from '../load/connect-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'
import type { Side } from '../sides/side.ts'

interface ConnectRowPlan {
  plan: ConnectPlan
  warmUp: ConnectStep
  measured: ConnectStep
  /** Before the memory is measured, milliseconds: Tutti compacts a connection a second after it was opened. */
  restMs: number
}

const PLANS: Record<'full' | 'short', ConnectRowPlan> = {
  full: {
    plan: { keysEach: 10, shared: false },
    warmUp: { count: 1_000, atOnce: 100 },
    measured: { count: 2_000, atOnce: 100 },
    restMs: 2_000,
  },
  short: {
    plan: { keysEach: 3, shared: false },
    warmUp: { count: 5, atOnce: 5 },
    measured: { count: 30, atOnce: 10 },
    restMs: 0,
  },
}

/** Idle connections, each with keys of its own. */
export const connect: Row = {
  name: 'connect',
  title: '2,000 connections with 10 keys of their own each',
  figures: ['until all are subscribed, ms', 'server CPU per connection, ms', 'RSS per connection, kB', 'heap per connection, kB'],
  columns: SIDE_COLUMNS,
  measure: async ({ side: name, client, label }, { size, openSide }) => {
    const { plan, warmUp, measured, restMs } = PLANS[size]
    const side = await openSide(name)
    await side.openLoad('connect', client, plan)
    // These stay: the growth of the heap with the first connections is in no figure, and nothing that they freed is used again.
    await side.step('connect', warmUp)
    await delay(restMs)
    const before = await memoryOf(side)
    const { result, serverMs } = await side.measure(`connect ${label}`, () => side.step('connect', measured))
    await delay(restMs)
    const after = await memoryOf(side)
    const kBEach = (bytes: number): number => bytes / 1000 / measured.count
    const { elapsedMs } = numbersOf(CONNECT_FIGURES, result)
    return {
      figures: {
        'until all are subscribed, ms': elapsedMs,
        'server CPU per connection, ms': serverMs / measured.count,
        'RSS per connection, kB': kBEach(after.rss - before.rss),
        'heap per connection, kB': kBEach(after.heapUsed - before.heapUsed),
      },
      deliveries: await side.closeLoad(),
    }
  },
}

/** Both instances, after a collection. */
async function memoryOf(side: Side): Promise<{ rss: number; heapUsed: number }> {
  const figures = await Promise.all(side.instances.map(async (instance) => numbersOf(['rss', 'heapUsed'], await instance.call('memory'))))
  return {
    rss: figures.reduce((sum, { rss }) => sum + rss, 0),
    heapUsed: figures.reduce((sum, { heapUsed }) => sum + heapUsed, 0),
  }
}
