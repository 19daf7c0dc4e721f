import { valuesOfSize, type BenchClient } from '../sides/bench-client.ts'
import { connectPlainSocket } from '../sides/tutti/plain-socket.ts'
import { urlAt, type Deliveries, type Load, type LoadContext } from './load.ts'
import { settled } from './settled.ts'

/** One connection to the second instance watches `keys` keys; a writer is connected to the first. */
export interface RepairPlan {
  keys: number
}

export const REPAIR_FIGURES = ['repairedAt'] as const
export const LISTING_FIGURES = ['firstPageMs', 'allPagesMs', 'pages', 'entries'] as const

/** Milliseconds since 1970 with fractions: one clock for all processes of this machine. */
export const wallClock = (): number => performance.timeOrigin + performance.now()

const VALUE_BYTES = 100
const KEYS_PER_MESSAGE = 1_000
const WRITES_AT_ONCE = 400

/** Tutti only: no other side repairs anything or has prefixes. */
export async function createRepairLoad(context: LoadContext, { keys }: RepairPlan): Promise<Load> {
  const deliveries: Deliveries = { expected: 0, delivered: 0, doubled: 0 }
  const makeValue = valuesOfSize(VALUE_BYTES)
  /** Numbers of writes that the subscriber has not received. */
  const open = new Set<number>()
  let lastAt = 0
  let lastNumber = 0
  const listener = {
    onUpdate: (n: number): void => {
      lastAt = wallClock()
      if (open.delete(n)) deliveries.delivered += 1
      else deliveries.doubled += 1
    },
  }
  const writer = await context.connect(urlAt(context, 0), { onUpdate: () => {} })
  const clients: BenchClient[] = [writer]

  const writeAll = async (names: readonly string[]): Promise<number[]> => {
    const numbers = names.map(() => ++lastNumber)
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < names.length) {
        const at = next++
        await writer.request({ kind: 'set', key: names[at] ?? '', value: makeValue(numbers[at] ?? 0) })
      }
    }
    await Promise.all(Array.from({ length: WRITES_AT_ONCE }, worker))
    return numbers
  }
  const watched = Array.from({ length: keys }, (_, index) => `bench:r${index}`)

  const list = async (prefix: string): Promise<object> => {
    const socket = await connectPlainSocket(urlAt(context, 0))
    const start = performance.now()
    const first = await socket.page(prefix)
    const firstPageMs = performance.now() - start
    let { after, entries } = first
    let pages = 1
    while (after !== undefined) {
      const page = await socket.page(prefix, after)
      pages += 1
      entries += page.entries
      after = page.after
    }
    const allPagesMs = performance.now() - start
    socket.close()
    return { firstPageMs, allPagesMs, pages, entries }
  }

  return {
    deliveries,
    steps: {
      watch: async () => {
        await writeAll(watched)
        const subscriber = await context.connect(urlAt(context, 1), listener)
        clients.push(subscriber)
        for (let from = 0; from < keys; from += KEYS_PER_MESSAGE) {
          await subscriber.request({ kind: 'subscribe', keys: watched.slice(from, from + KEYS_PER_MESSAGE) })
        }
      },
      /** Writes each `every`th watched key. */
      writeAway: async (every: number) => {
        const names = watched.filter((_, index) => index % every === 0)
        deliveries.expected += names.length
        for (const n of names.keys()) open.add(lastNumber + 1 + n)
        await writeAll(names)
      },
      /** When the last of these writes arrived. */
      repaired: async () => {
        if (!(await settled(() => open.size, 30_000))) throw new Error(`${open.size} missed changes were not repaired.`)
        return { repairedAt: lastAt }
      },
      fill: async (prefix: string, count: number) => {
        await writeAll(Array.from({ length: count }, (_, index) => `${prefix}${index}`))
      },
      list,
    },
    close: () => {
      for (const client of clients) client.close()
    },
  }
}
