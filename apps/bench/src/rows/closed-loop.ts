import { WRITE_FIGURES, type Stretch, type WritePlan } from '../load/write-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { mediansOf } from '../measure/statistics.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'

const PLANS: Record<'full' | 'short', { plan: WritePlan; warmUp: Stretch; settle: Stretch; stretch: Stretch; turns: number }> = {
  full: {
    plan: { writers: 10, inFlight: 8, valueBytes: 100, watched: true },
    warmUp: { seconds: 30, maxWrites: 15_000 },
    // The CPU of a write falls for about 30,000 single writes (the relay: 10,000), until the JIT is done.
    settle: { seconds: 30, maxWrites: 30_000 },
    stretch: { seconds: 1 },
    turns: 12,
  },
  short: {
    plan: { writers: 2, inFlight: 2, valueBytes: 100, watched: true },
    warmUp: { seconds: 30, maxWrites: 20 },
    settle: { seconds: 30, maxWrites: 5 },
    stretch: { seconds: 30, maxWrites: 50 },
    turns: 1,
  },
}

/** What a change costs when nothing queues. */
export const closedLoop: Row = {
  name: 'closed-loop',
  title: 'one write at a time: from the write on one instance',
  figures: ['update on the other instance p50, ms', 'ack p50, ms', 'server CPU per 1,000 writes, ms'],
  columns: SIDE_COLUMNS,
  measure: async ({ client, label }, { size, openSide, inTurns }) => {
    const { plan, warmUp, settle, stretch, turns } = PLANS[size]
    const side = await openSide()
    await side.openLoad('write', client, plan)
    await side.step('saturate', warmUp)
    await side.step('oneByOne', settle)
    const measured = await inTurns(turns, async (turn) => {
      const { result, serverMs } = await side.measure(`closed-loop ${label} ${turn}`, () => side.step('oneByOne', stretch))
      const { sent, ackP50Ms, updateP50Ms } = numbersOf(WRITE_FIGURES, result)
      return {
        'update on the other instance p50, ms': updateP50Ms,
        'ack p50, ms': ackP50Ms,
        'server CPU per 1,000 writes, ms': (serverMs * 1000) / sent,
      }
    })
    return { figures: mediansOf(measured), deliveries: await side.closeLoad() }
  },
}
