import { eventually } from '@tutti/test-kit'
import { percentile } from '../measure/statistics.ts'
import { valuesOfSize, type BenchClient } from '../sides/bench-client.ts'
import { urlAt, type Deliveries, type Load, type LoadContext } from './load.ts'

/** Writers on the first instance. */
export interface WritePlan {
  writers: number
  /** Writes of one connection that wait for their acknowledgement. Each is of a key of its own: our client has one per key. */
  inFlight: number
  valueBytes: number
  /** Whether each key has a subscriber on the second instance. */
  watched: boolean
}

/** When a stretch of writing ends: after a time or a number of writes, whichever comes first. */
export interface Stretch {
  seconds: number
  maxWrites?: number
}

/** What a stretch gave; `updateP50Ms` only where the keys are watched. */
export const WRITE_FIGURES = ['sent', 'elapsedMs', 'ackP50Ms', 'updateP50Ms'] as const

interface Slot {
  writer: BenchClient
  key: string
}

/** Connects the writers and, on the other instance, as many subscribers of their keys. */
export async function createWriteLoad(context: LoadContext, plan: WritePlan): Promise<Load> {
  const deliveries: Deliveries = { expected: 0, delivered: 0, doubled: 0 }
  const sent = new Map<number, { at: number; delivered?: (() => void) | undefined }>()
  let updateMs: number[] = []
  let ackMs: number[] = []
  const onUpdate = (n: number): void => {
    const write = sent.get(n)
    if (write === undefined) return void (deliveries.doubled += 1)
    sent.delete(n)
    deliveries.delivered += 1
    updateMs.push(performance.now() - write.at)
    write.delivered?.()
  }

  const clients: BenchClient[] = []
  const slots: Slot[] = []
  for (let index = 0; index < plan.writers; index += 1) {
    const writer = await context.connect(urlAt(context, 0), { onUpdate })
    const keys = Array.from({ length: plan.inFlight }, (_, slot) => `bench:w${index}:${slot}`)
    clients.push(writer)
    slots.push(...keys.map((key) => ({ writer, key })))
    if (!plan.watched) continue
    const subscriber = await context.connect(urlAt(context, 1), { onUpdate })
    await subscriber.request({ kind: 'subscribe', keys })
    clients.push(subscriber)
  }

  const makeValue = valuesOfSize(plan.valueBytes)
  let lastNumber = 0
  const write = async ({ writer, key }: Slot, delivered?: () => void): Promise<void> => {
    const n = ++lastNumber
    const at = performance.now()
    if (plan.watched) {
      sent.set(n, { at, delivered })
      deliveries.expected += 1
    }
    await writer.request({ kind: 'set', key, value: makeValue(n) })
    ackMs.push(performance.now() - at)
  }

  const measure = async (stretch: (canWrite: () => boolean) => Promise<void>, { seconds, maxWrites }: Stretch): Promise<object> => {
    ackMs = []
    updateMs = []
    let writes = 0
    const start = performance.now()
    const canWrite = (): boolean => performance.now() < start + seconds * 1000 && (maxWrites === undefined || writes < maxWrites)
    await stretch(() => canWrite() && ++writes > 0)
    const elapsedMs = performance.now() - start
    await eventually(() => {
      if (sent.size > 0) throw new Error(`${sent.size} of ${writes} writes were acknowledged and never delivered.`)
    })
    return { sent: writes, elapsedMs, ackP50Ms: percentile(ackMs, 0.5), updateP50Ms: percentile(updateMs, 0.5) }
  }

  return {
    deliveries,
    steps: {
      /** Each key is written again when its last write is acknowledged. */
      saturate: (stretch: Stretch) => {
        const loop = async (slot: Slot, canWrite: () => boolean): Promise<void> => {
          while (canWrite()) await write(slot)
        }
        return measure(async (canWrite) => void (await Promise.all(slots.map((slot) => loop(slot, canWrite)))), stretch)
      },
      /** One write at a time, over all keys: the next one follows the acknowledgement and the update. */
      oneByOne: (stretch: Stretch) =>
        measure(async (canWrite) => {
          for (let turn = 0; canWrite(); turn += 1) {
            const slot = slots[turn % slots.length]
            if (slot === undefined) throw new Error('There is no key to write.')
            const { promise, resolve } = Promise.withResolvers<void>()
            await Promise.all([write(slot, resolve), promise])
          }
        }, stretch),
    },
    close: () => {
      for (const client of clients) client.close()
    },
  }
}
