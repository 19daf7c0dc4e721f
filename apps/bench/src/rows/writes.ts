import { WRITE_FIGURES, type Stretch, type WritePlan } from '../load/write-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { mediansOf } from '../measure/statistics.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'

const PLANS: Record<'full' | 'short', { plan: WritePlan; warmUp: Stretch; stretch: Stretch; turns: number }> = {
  full: {
    plan: { writers: 50, inFlight: 8, valueBytes: 100, watched: true },
    // By writes, not by time: on a busy machine a time was too short for the JIT, and the longer code lost by it.
    warmUp: { seconds: 30, maxWrites: 30_000 },
    stretch: { seconds: 1 },
    turns: 8,
  },
  short: {
    plan: { writers: 3, inFlight: 2, valueBytes: 100, watched: true },
    warmUp: { seconds: 30, maxWrites: 20 },
    stretch: { seconds: 30, maxWrites: 100 },
    turns: 1,
  },
}

const [relay, tutti, adapter] = SIDE_COLUMNS

/** Small values, as fast as they are acknowledged. */
export const writes: Row = {
  name: 'writes',
  title: 'acknowledged writes: 50 connections with 8 in flight each, values of 100 bytes',
  figures: [
    'acked writes/s',
    'server CPU per 1,000 writes, ms',
    'ack p50, ms',
    'update p50, ms',
    'Redis CPU per 1,000 writes, ms',
    'clients’ CPU per 1,000 writes, ms',
  ],
  columns: [relay, { ...tutti, label: 'Tutti plain' }, { label: 'Tutti numbered', side: 'tutti', client: 'tutti numbered light' }, adapter],
  measure: async ({ client, label }, { size, openSide, inTurns }) => {
    const { plan, warmUp, stretch, turns } = PLANS[size]
    const side = await openSide()
    await side.openLoad('write', client, plan)
    await side.step('saturate', warmUp)
    const measured = await inTurns(turns, async (turn) => {
      const { result, serverMs, redisMs, clientsMs } = await side.measure(`writes ${label} ${turn}`, () => side.step('saturate', stretch))
      const { sent, elapsedMs, ackP50Ms, updateP50Ms } = numbersOf(WRITE_FIGURES, result)
      return {
        'acked writes/s': (sent * 1000) / elapsedMs,
        'server CPU per 1,000 writes, ms': (serverMs * 1000) / sent,
        'ack p50, ms': ackP50Ms,
        'update p50, ms': updateP50Ms,
        'Redis CPU per 1,000 writes, ms': (redisMs * 1000) / sent,
        'clients’ CPU per 1,000 writes, ms': (clientsMs * 1000) / sent,
      }
    })
    return { figures: mediansOf(measured), deliveries: await side.closeLoad() }
  },
}
