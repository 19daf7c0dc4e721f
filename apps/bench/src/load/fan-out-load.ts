import { setTimeout as delay } from 'node:timers/promises'
import { percentile } from '../measure/statistics.ts'
import { urlAt, type Deliveries, type Load, type LoadContext } from './load.ts'
import { valuesOfSize, type BenchClient } from '../sides/bench-client.ts'
import { settled } from './settled.ts'

/** Subscribers of one key, spread over both instances, and one writer on the first. */
export interface FanOutPlan {
  subscribers: number
  valueBytes: number
}

/** Writes by the clock, whether the last one was acknowledged or not. */
export interface PacedStretch {
  seconds: number
  /** Writes a second. */
  rate: number
  /** The side may be too slow: late and absent deliveries are no error and are not counted as deliveries. */
  overload?: boolean
}

/** Times are from the write: `p99Ms` over all deliveries, `last…` of the last subscriber of each write. */
export const FAN_OUT_FIGURES = ['sent', 'delivered', 'elapsedMs', 'p99Ms', 'lastP50Ms', 'lastP99Ms'] as const

interface Write {
  at: number
  missing: number
}

const KEY = 'bench:fan-out'
const CONNECT_AT_ONCE = 50

/** Connects the subscribers and the writer. */
export async function createFanOutLoad(context: LoadContext, plan: FanOutPlan): Promise<Load> {
  const deliveries: Deliveries = { expected: 0, delivered: 0, doubled: 0 }
  const writes = new Map<number, Write>()
  let allMs: number[] = []
  let lastMs: number[] = []
  let doubled = 0

  /** A subscriber's numbers rise, so one that does not was delivered before. */
  const createListener = () => {
    let newest = 0
    return {
      onUpdate: (n: number): void => {
        const write = writes.get(n)
        if (n <= newest || write === undefined) return void (doubled += 1)
        newest = n
        const ms = performance.now() - write.at
        allMs.push(ms)
        write.missing -= 1
        if (write.missing > 0) return
        lastMs.push(ms)
        writes.delete(n)
      },
    }
  }

  const clients: BenchClient[] = []
  const connectOne = async (index: number): Promise<void> => {
    const client = await context.connect(urlAt(context, index), createListener())
    clients.push(client)
    await client.request({ kind: 'subscribe', keys: [KEY] })
  }
  for (let from = 0; from < plan.subscribers; from += CONNECT_AT_ONCE) {
    const count = Math.min(CONNECT_AT_ONCE, plan.subscribers - from)
    await Promise.all(Array.from({ length: count }, (_, index) => connectOne(from + index)))
  }
  const writer = await context.connect(urlAt(context, 0), { onUpdate: () => void (doubled += 1) })
  clients.push(writer)

  const makeValue = valuesOfSize(plan.valueBytes)
  let lastNumber = 0
  const paced = async ({ seconds, rate, overload = false }: PacedStretch): Promise<object> => {
    allMs = []
    lastMs = []
    doubled = 0
    const count = Math.max(1, Math.round(seconds * rate))
    const start = performance.now()
    const acks: Promise<unknown>[] = []
    while (acks.length < count) {
      const due = Math.min(count, 1 + Math.floor(((performance.now() - start) * rate) / 1000))
      while (acks.length < due) {
        const n = ++lastNumber
        writes.set(n, { at: performance.now(), missing: plan.subscribers })
        acks.push(writer.request({ kind: 'set', key: KEY, value: makeValue(n) }))
      }
      await delay(1)
    }
    await Promise.all(acks)
    const elapsedMs = performance.now() - start
    const isComplete = await settled(() => writes.size, overload ? 3_000 : 10_000)
    if (!isComplete && !overload) throw new Error(`${writes.size} of ${count} writes did not reach all subscribers.`)
    writes.clear()
    if (!overload) {
      deliveries.expected += count * plan.subscribers
      deliveries.delivered += allMs.length
      deliveries.doubled += doubled
    }
    return {
      sent: count,
      delivered: allMs.length,
      elapsedMs,
      p99Ms: percentile(allMs, 0.99),
      lastP50Ms: percentile(lastMs, 0.5),
      lastP99Ms: percentile(lastMs, 0.99),
    }
  }

  return {
    deliveries,
    steps: { paced },
    close: () => {
      for (const client of clients) client.close()
    },
  }
}
