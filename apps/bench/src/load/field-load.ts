import { setTimeout as delay } from 'node:timers/promises'
import type { BenchClient } from '../sides/bench-client.ts'
import { urlAt, type Deliveries, type Load, type LoadContext } from './load.ts'
import { settled } from './settled.ts'

/** A large value of which one field is changed at a time. */
export interface FieldPlan {
  subscribers: number
  fields: number
  /** Bytes of the text in each field. */
  fieldBytes: number
}

/** Changes, each acknowledged before the next: patches that wait together would be merged. */
export interface FieldStretch {
  changes: number
  /** From one change to the next at least. */
  everyMs: number
}

export const FIELD_FIGURES = ['bytesPerUpdate'] as const

const KEY = 'bench:field'
/** Number of the value that is stored before there are subscribers. */
const FIRST_NUMBER = 1

/** Connects the subscribers, spread over both instances, and a writer on the first, which stores the value. */
export async function createFieldLoad(context: LoadContext, plan: FieldPlan): Promise<Load> {
  const deliveries: Deliveries = { expected: 0, delivered: 0, doubled: 0 }
  let bytes = 0
  const createListener = () => {
    let newest = FIRST_NUMBER
    return {
      onUpdate: (n: number, size: number): void => {
        // The controls do not order reads and updates: the value that a subscriber has read may follow.
        if (n === FIRST_NUMBER) return
        if (n <= newest) return void (deliveries.doubled += 1)
        newest = n
        bytes += size
        deliveries.delivered += 1
      },
    }
  }
  const writer = await context.connect(urlAt(context, 0), { onUpdate: () => void (deliveries.doubled += 1) })
  const fieldText = (n: number): string => `${n}`.padEnd(plan.fieldBytes, 'x')
  const fields: Record<string, string> = Object.fromEntries(Array.from({ length: plan.fields }, (_, index) => [`f${index}`, fieldText(0)]))
  let n = FIRST_NUMBER
  await writer.request({ kind: 'set', key: KEY, value: { n, ...fields } })
  const clients: BenchClient[] = [writer]
  for (let index = 0; index < plan.subscribers; index += 1) {
    const client = await context.connect(urlAt(context, index), createListener())
    await client.request({ kind: 'subscribe', keys: [KEY] })
    clients.push(client)
  }

  const change = async ({ changes, everyMs }: FieldStretch): Promise<object> => {
    const [bytesBefore, deliveredBefore] = [bytes, deliveries.delivered]
    for (let count = 0; count < changes; count += 1) {
      const due = performance.now() + everyMs
      n += 1
      const patch = { n, [`f${n % plan.fields}`]: fieldText(n) }
      Object.assign(fields, patch)
      deliveries.expected += plan.subscribers
      // `n` first: fields that were assigned before it would keep it at the end.
      await writer.request({ kind: 'change', key: KEY, patch, value: { n, ...fields } })
      const rest = due - performance.now()
      if (rest > 0) await delay(rest)
    }
    const isComplete = await settled(() => deliveries.expected - deliveries.delivered, 10_000)
    if (!isComplete) throw new Error(`${deliveries.expected - deliveries.delivered} updates of a field were not delivered.`)
    return { bytesPerUpdate: (bytes - bytesBefore) / (deliveries.delivered - deliveredBefore) }
  }

  return {
    deliveries,
    steps: { change },
    close: () => {
      for (const client of clients) client.close()
    },
  }
}
