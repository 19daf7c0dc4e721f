import { FAN_OUT_FIGURES, type FanOutPlan, type PacedStretch } from '../load/fan-out-load.ts'
import { numbersOf } from '../measure/numbers-of.ts'
import { mediansOf } from '../measure/statistics.ts'
import { SIDE_COLUMNS, type Row } from '../row.ts'
import type { Side } from '../sides/side.ts'

interface Plan {
  plan: FanOutPlan
  warmUp: PacedStretch
  fast: PacedStretch
  slow: PacedStretch
  /** How often both are measured, in turns with the other columns. */
  turns: number
  /** Rates rise by `factor` from `from` until the p99 of a stretch of `seconds` is above the limit, or to `to`. */
  ramp: { from: number; to: number; factor: number; seconds: number }
}

const PLANS: Record<'full' | 'short', Plan> = {
  full: {
    plan: { subscribers: 1_000, valueBytes: 100 },
    warmUp: { seconds: 2, rate: 40 },
    fast: { seconds: 2, rate: 50 },
    slow: { seconds: 1, rate: 10 },
    turns: 5,
    ramp: { from: 30, to: 1_000, factor: 1.12, seconds: 1 },
  },
  short: {
    plan: { subscribers: 20, valueBytes: 100 },
    warmUp: { seconds: 0.1, rate: 50 },
    fast: { seconds: 0.1, rate: 50 },
    slow: { seconds: 0.1, rate: 10 },
    turns: 1,
    ramp: { from: 50, to: 60, factor: 1.2, seconds: 0.1 },
  },
}

const MAX_P99_MS = 100

/** One key with many subscribers. */
export const fanOut: Row = {
  name: 'fan-out',
  title: 'one key with 1,000 subscribers on 2 instances, values of 100 bytes',
  figures: [
    'server CPU per 1,000 deliveries at 50 writes/s, ms',
    'server CPU per 1,000 deliveries at 10 writes/s, ms',
    'last delivery p50 at 50 writes/s, ms',
    'last delivery p99 at 50 writes/s, ms',
    'clients’ CPU per 1,000 deliveries at 50 writes/s, ms',
    `highest deliveries/s with p99 ≤ ${MAX_P99_MS} ms`,
  ],
  columns: SIDE_COLUMNS,
  measure: async ({ client, label }, { size, openSide, inTurns }) => {
    const { plan, warmUp, fast, slow, turns, ramp } = PLANS[size]
    const side = await openSide()
    await side.openLoad('fanOut', client, plan)
    await side.step('paced', warmUp)
    const measured = await inTurns(turns, async (turn) => {
      const atFast = await paced(side, `fan-out fast ${label} ${turn}`, fast)
      const atSlow = await paced(side, `fan-out slow ${label} ${turn}`, slow)
      return {
        'server CPU per 1,000 deliveries at 50 writes/s, ms': atFast.cpuMs,
        'server CPU per 1,000 deliveries at 10 writes/s, ms': atSlow.cpuMs,
        'last delivery p50 at 50 writes/s, ms': atFast.lastP50Ms,
        'last delivery p99 at 50 writes/s, ms': atFast.lastP99Ms,
        'clients’ CPU per 1,000 deliveries at 50 writes/s, ms': atFast.clientsMs,
      }
    })
    return {
      figures: {
        ...mediansOf(measured),
        [`highest deliveries/s with p99 ≤ ${MAX_P99_MS} ms`]: await highest(side, plan, ramp),
      },
      deliveries: await side.closeLoad(),
    }
  },
}

async function paced(side: Side, label: string, stretch: PacedStretch) {
  const { result, serverMs, clientsMs } = await side.measure(label, () => side.step('paced', stretch))
  const { delivered, lastP50Ms, lastP99Ms } = numbersOf(FAN_OUT_FIGURES, result)
  return { cpuMs: (serverMs * 1000) / delivered, clientsMs: (clientsMs * 1000) / delivered, lastP50Ms, lastP99Ms }
}

/** Deliveries a second of the last stretch within the limit; 0 if the first one was above it. */
async function highest(side: Side, { subscribers }: FanOutPlan, { from, to, factor, seconds }: Plan['ramp']): Promise<number> {
  const isWithin = async (rate: number): Promise<boolean> => {
    const result = await side.step('paced', { seconds, rate, overload: true } satisfies PacedStretch)
    const { sent, delivered, p99Ms } = numbersOf(['sent', 'delivered', 'p99Ms'], result)
    return delivered === sent * subscribers && p99Ms <= MAX_P99_MS
  }
  let reached = 0
  for (let rate = from; rate <= to; rate *= factor) {
    // A second try: another process of the machine may have needed the cores for a moment.
    if (!(await isWithin(rate)) && !(await isWithin(rate))) break
    reached = rate * subscribers
  }
  return reached
}
