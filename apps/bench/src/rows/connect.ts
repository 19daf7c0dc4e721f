import { setTimeout as delay } from 'node:timers/promises'
import { CONNECT_FIGURES, type ConnectPlan, type ConnectStep } from '../load/connect-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'
import type { Side } from '../sides/side.ts'

interface ConnectRowPlan {
  plan: ConnectPlan
  warmUp: ConnectStep
  /** One turn: the columns connect so many clients in turns. */
  measured: ConnectStep
  turns: number
  /** After connecting, milliseconds: Tutti compacts a connection a second after it was opened. */
  restMs: number
}

const PLANS: Record<'full' | 'short', ConnectRowPlan> = {
  full: {
    plan: { keysEach: 10, shared: false },
    warmUp: { count: 1_000, atOnce: 100 },
    measured: { count: 500, atOnce: 100 },
    turns: 4,
    restMs: 1_500,
  },
  short: {
    plan: { keysEach: 3, shared: false },
    warmUp: { count: 5, atOnce: 5 },
    measured: { count: 15, atOnce: 10 },
    turns: 2,
    restMs: 0,
  },
}

/** Idle connections, each with keys of its own. */
export const connect: Row = {
  name: 'connect',
  title: '2,000 connections with 10 keys of their own each',
  figures: ['until all are subscribed, ms', 'server CPU per connection, ms', 'RSS per connection, kB', 'heap per connection, kB'],
  columns: SIDE_COLUMNS,
  measure: async ({ client, label }, { size, openSide, inTurns }) => {
    const { plan, warmUp, measured, turns, restMs } = PLANS[size]
    const side = await openSide()
    await side.openLoad('connect', client, plan)
    // These stay: the growth of the heap with the first connections is in no figure, and nothing that they freed is used again.
    await side.step('connect', warmUp)
    await delay(restMs)
    const before = await memoryOf(side)
    const stretches = await inTurns(turns, async (turn) => {
      const { result, serverMs } = await side.measure(`connect ${label} ${turn}`, async () => {
        const connected = await side.step('connect', measured)
        // Its CPU counts, and it is not left to the turns of others.
        await delay(restMs)
        return connected
      })
      return { elapsedMs: numbersOf(CONNECT_FIGURES, result).elapsedMs, serverMs }
    })
    const after = await memoryOf(side)
    const count = measured.count * turns
    const kBEach = (bytes: number): number => bytes / 1000 / count
    const sumOf = (name: 'elapsedMs' | 'serverMs'): number => stretches.reduce((sum, stretch) => sum + stretch[name], 0)
    return {
      figures: {
        'until all are subscribed, ms': sumOf('elapsedMs'),
        'server CPU per connection, ms': sumOf('serverMs') / count,
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
