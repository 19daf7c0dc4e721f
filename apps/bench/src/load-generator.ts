import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '@tutti/test-kit'
import type { BenchClient, ConnectBenchClient } from './bench-client.ts'
import type { LoadFigures, LoadPhase, LoadPlan } from './load-plan.ts'
import { percentile } from './statistics.ts'

/** Connected clients that write when told. */
export interface LoadGenerator {
  /** Writes for a phase, waits until every write is acknowledged and delivered, and tells what it saw. */
  run(phase: LoadPhase): Promise<LoadFigures>
  close(): void
}

interface Writer {
  client: BenchClient
  keys: string[]
  /** Index of the key whose turn it is. */
  next: number
}

/** Connects to both instances and subscribes each key on the instance that does not write it. */
export async function createLoadGenerator(connect: ConnectBenchClient, urls: readonly string[], plan: LoadPlan): Promise<LoadGenerator> {
  const sentAt = new Map<number, number>()
  let latencies: number[] = []
  let doubled = 0
  const onUpdate = (n: number): void => {
    const sent = sentAt.get(n)
    if (sent === undefined) return void (doubled += 1)
    sentAt.delete(n)
    latencies.push(performance.now() - sent)
  }

  const writers: Writer[] = []
  for (const [here, url] of urls.entries()) {
    for (let index = 0; index < plan.connections; index += 1) {
      const client = await connect(url, onUpdate)
      const numbers = Array.from({ length: plan.keys }, (_, number) => number)
      const mine = numbers.filter((number) => Math.floor(number / urls.length) % plan.connections === index)
      const [written, watched] = [mine.filter((number) => number % urls.length === here), mine.filter((n) => n % urls.length !== here)]
      await client.subscribe(watched.map((number) => `bench:${number}`))
      writers.push({ client, keys: written.map((number) => `bench:${number}`), next: 0 })
    }
  }
  const active = writers.filter(({ keys }) => keys.length > 0)

  const pad = 'x'.repeat(Math.max(0, plan.valueBytes - JSON.stringify({ n: 10_000, pad: '' }).length))
  let lastNumber = 0
  const write = async (writer: Writer): Promise<void> => {
    const key = writer.keys[writer.next++ % writer.keys.length] ?? ''
    const n = ++lastNumber
    sentAt.set(n, performance.now())
    await writer.client.write(key, { n, pad })
  }

  const closedLoop = async (until: number, maxWrites: number): Promise<number> => {
    let sent = 0
    const loop = async (writer: Writer): Promise<void> => {
      while (performance.now() < until && sent < maxWrites) {
        sent += 1
        await write(writer)
      }
    }
    await Promise.all(active.map(loop))
    return sent
  }

  const paced = async (start: number, until: number, rate: number, maxWrites: number): Promise<number> => {
    const acks: Promise<void>[] = []
    const failures: unknown[] = []
    while (performance.now() < until && acks.length < maxWrites) {
      const due = Math.min(maxWrites, ((performance.now() - start) * rate) / 1000)
      while (acks.length < due) {
        const writer = active[acks.length % active.length]
        if (writer === undefined) throw new Error('Nobody has a key to write.')
        acks.push(write(writer).catch((error: unknown) => void failures.push(error)))
      }
      await delay(1)
    }
    await Promise.all(acks)
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} writes were refused: ${String(failures[0])}`)
    return acks.length
  }

  return {
    run: async ({ seconds, rate, maxWrites = Number.POSITIVE_INFINITY }) => {
      latencies = []
      const [start, cpu] = [performance.now(), process.cpuUsage()]
      const until = start + seconds * 1000
      const sent = rate > 0 ? await paced(start, until, rate, maxWrites) : await closedLoop(until, maxWrites)
      const elapsedMs = performance.now() - start
      await eventually(() => {
        if (sentAt.size > 0) throw new Error(`${sentAt.size} of ${sent} writes were acknowledged and never delivered.`)
      })
      const { user, system } = process.cpuUsage(cpu)
      const sorted = latencies.toSorted((a, b) => a - b)
      const [p50Ms, p99Ms] = [percentile(sorted, 0.5), percentile(sorted, 0.99)]
      const seen = { sent, acked: sent, delivered: latencies.length, doubled, elapsedMs, p50Ms, p99Ms, cpuMs: (user + system) / 1000 }
      // Not at the start: a second delivery that comes late counts in the next phase rather than nowhere.
      doubled = 0
      return seen
    },
    close: () => {
      for (const { client } of writers) client.close()
    },
  }
}
