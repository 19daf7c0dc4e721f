import { valuesOfSize, type BenchClient } from '../sides/bench-client.ts'
import { urlAt, type Deliveries, type Load, type LoadContext } from './load.ts'
import { settled } from './settled.ts'

/** Clients spread over both instances. */
export interface ConnectPlan {
  keysEach: number
  /** All have the same keys, or each has its own. */
  shared: boolean
}

/** How many clients connect and subscribe, and how many of them at once. */
export interface ConnectStep {
  count: number
  atOnce: number
}

export const CONNECT_FIGURES = ['elapsedMs'] as const

const VALUE_BYTES = 100

/** Connects nothing before `connect`. */
export function createConnectLoad(context: LoadContext, plan: ConnectPlan): Load {
  const deliveries: Deliveries = { expected: 0, delivered: 0, doubled: 0 }
  const makeValue = valuesOfSize(VALUE_BYTES)
  let clients: BenchClient[] = []
  let closed = 0
  let lastNumber = 0
  /** Number of the write that each client must receive once. */
  let verified = 0
  /** Number of the newest value of each shared key: clients that read another one are not in sync. */
  let newest: number[] = []

  const keysOf = (client: number): string[] =>
    Array.from({ length: plan.keysEach }, (_, index) => (plan.shared ? `bench:s${index}` : `bench:c${client}:${index}`))

  const listener = {
    onUpdate: (n: number): void => {
      // The controls do not order reads and updates: an update that a client has already read may follow.
      if (n === verified) deliveries.delivered += 1
    },
    onClose: (): void => void (closed += 1),
  }

  const connectOne = async (index: number): Promise<void> => {
    const client = await context.connect(urlAt(context, index), listener)
    clients.push(client)
    const numbers = await client.request({ kind: 'subscribe', keys: keysOf(index) })
    const isInSync = numbers.length === newest.length && numbers.every((n) => newest.includes(n))
    if (!isInSync) throw new Error(`A client read ${numbers.length} values, not the ${newest.length} newest.`)
  }

  /** Connects clients beside those that are connected. */
  const connect = async ({ count, atOnce }: ConnectStep): Promise<object> => {
    const start = performance.now()
    const end = clients.length + count
    let next = clients.length
    const worker = async (): Promise<void> => {
      while (next < end) await connectOne(next++)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    return { elapsedMs: performance.now() - start }
  }

  const allClosed = async (): Promise<void> => {
    if (!(await settled(() => clients.length - closed, 10_000))) throw new Error(`${clients.length - closed} connections were not closed.`)
    clients = []
    closed = 0
  }

  const withWriter = async (write: (writer: BenchClient) => Promise<void>): Promise<void> => {
    const writer = await context.connect(urlAt(context, 0), { onUpdate: () => {} })
    await write(writer)
    writer.close()
  }

  return {
    deliveries,
    steps: {
      connect,
      allClosed,
      /** Writes all shared keys while no client is subscribed. */
      writeShared: () =>
        withWriter(async (writer) => {
          newest = keysOf(0).map(() => ++lastNumber)
          await Promise.all(keysOf(0).map((key, index) => writer.request({ kind: 'set', key, value: makeValue(newest[index] ?? 0) })))
        }),
      /** One write of a shared key reaches each client once. */
      verify: () =>
        withWriter(async (writer) => {
          verified = ++lastNumber
          deliveries.expected += clients.length
          await writer.request({ kind: 'set', key: 'bench:s0', value: makeValue(verified) })
          const isComplete = await settled(() => deliveries.expected - deliveries.delivered, 10_000)
          if (!isComplete) throw new Error(`${deliveries.expected - deliveries.delivered} clients did not receive a write.`)
          deliveries.doubled += deliveries.delivered - deliveries.expected
          deliveries.delivered = deliveries.expected
        }),
    },
    close: () => {
      for (const client of clients) client.close()
    },
  }
}
