import { WRITE_FIGURES, type Stretch, type WritePlan } from '../load/write-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { mediansOf } from '../measure/statistics.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'

const PLANS: Record<'full' | 'short', { plan: WritePlan; warmUp: Stretch; stretch: Stretch; turns: number }> = {
  full: {
    plan: { writers: 50, inFlight: 4, valueBytes: 4_000, watched: true },
    warmUp: { seconds: 30, maxWrites: 10_000 },
    stretch: { seconds: 1 },
    turns: 8,
  },
  short: {
    plan: { writers: 2, inFlight: 2, valueBytes: 4_000, watched: true },
    warmUp: { seconds: 30, maxWrites: 10 },
    stretch: { seconds: 30, maxWrites: 50 },
    turns: 1,
  },
}

/** Larger values that still travel with their notification. */
export const values4k: Row = {
  name: 'values-4k',
  title: 'acknowledged writes: 50 connections with 4 in flight each, values of 4 kB',
  figures: ['acked writes/s', 'server CPU per 1,000 writes, ms', 'Redis CPU per 1,000 writes, ms'],
  columns: SIDE_COLUMNS,
  measure: async ({ client, label }, { size, openSide, inTurns }) => {
    const { plan, warmUp, stretch, turns } = PLANS[size]
    const side = await openSide()
    await side.openLoad('write', client, plan)
    await side.step('saturate', warmUp)
    const measured = await inTurns(turns, async (turn) => {
      const { result, serverMs, redisMs } = await side.measure(`values-4k ${label} ${turn}`, () => side.step('saturate', stretch))
      const { sent, elapsedMs } = numbersOf(WRITE_FIGURES, result)
      return {
        'acked writes/s': (sent * 1000) / elapsedMs,
        'server CPU per 1,000 writes, ms': (serverMs * 1000) / sent,
        'Redis CPU per 1,000 writes, ms': (redisMs * 1000) / sent,
      }
    })
    return { figures: mediansOf(measured), deliveries: await side.closeLoad() }
  },
}
