import { setTimeout as wait } from 'node:timers/promises'
import { eventually, seededRandom, type Instance } from '@tutti/test-kit'
import { startCluster, type ClusterOptions } from '../cluster.ts'
import { healCluster } from '../heal-cluster.ts'
import { injectFault } from '../inject-fault.ts'
import { planSchedule, type PlannedFault } from '../schedule.ts'
import { startProcess } from '../start-process.ts'
import { checkDurable, type DurableCheck } from './check-durable.ts'
import type { DurableHistory } from './durable-history.ts'

const PLACES = 3
const LOAD = new URL('./durable-load-instance.ts', import.meta.url)

/** How a schedule is run. */
export interface DurableRunOptions extends Pick<ClusterOptions, 'topology' | 'bug'> {
  readonly seed: number
  /** Default: the schedule of the seed. */
  readonly faults?: readonly PlannedFault[] | undefined
  readonly events: number
  readonly subscribers: number
  readonly publishers: number
  /** How long events are published and faults are injected, seconds. */
  readonly seconds: number
  /** How long after the end of the faults everything may take, milliseconds. */
  readonly settleMs: number
  /** How often the instances compare their channels with the logs, milliseconds; 0: never. */
  readonly reconcileIntervalMs?: number | undefined
}

/** The result of a schedule. */
export interface DurableResult extends DurableCheck {
  readonly seed: number
  readonly faults: number
  /** From the end of the faults until each subscriber had the last event; negative: not all had it in time. */
  readonly settledMs: number
}

interface Counts {
  readonly published: number
  readonly lowest: number | null
  readonly last: number
}

/** Plays the schedule of a seed on a new cluster: publishers, subscribers, and faults. */
export async function runDurable(options: DurableRunOptions): Promise<DurableResult> {
  const { seed, events, subscribers, publishers, seconds, settleMs, topology, bug, reconcileIntervalMs = 30_000 } = options
  const faults = options.faults ?? planSchedule(seededRandom(seed), seconds, PLACES, topology)
  const durable = { 'chat:*': { maxRecords: 2 * events + 100 } }
  const cluster = await startCluster(PLACES, {
    ...{ topology, bug, env: { SERVER_OPTIONS: JSON.stringify({ durable, reconcileIntervalMs }) } },
    redis: { movedKeys: ['{tutti$log:event:chat:faults}$records'] },
  })
  const loads: Instance[] = await Promise.all([startProcess(LOAD, undefined), startProcess(LOAD, undefined)])
  const all = async <Part>(name: string, ...args: unknown[]): Promise<Part[]> =>
    (await Promise.all(loads.map((load) => load.call(name, ...args)))) as Part[]
  const counts = async (): Promise<{ published: number; lowest: number; last: number }> => {
    const parts = await all<Counts>('counts')
    return {
      published: parts.reduce((sum, part) => sum + part.published, 0),
      lowest: Math.min(...parts.map(({ lowest }) => lowest ?? Infinity)),
      last: Math.max(...parts.map(({ last }) => last)),
    }
  }
  try {
    const urls = cluster.places.map(({ front }) => `http://127.0.0.1:${front.port}`)
    const names = Array.from({ length: subscribers }, (_, index) => `s${index}`)
    await Promise.all(
      loads.map((load, part) =>
        load.call(
          'subscribe',
          urls,
          names.filter((_, index) => index % loads.length === part),
          seed * 1_000 + part,
        ),
      ),
    )
    // Each subscriber has the first event, so it was subscribed before the others were published.
    await loads[0]?.call('publish', urls, 'first', 1, 0, seed)
    let firsts = 0
    await eventually(
      async () => {
        const ready = (await all<number>('ready')).reduce((sum, count) => sum + count, 0)
        if (ready === subscribers) return
        await loads[0]?.call('publish', urls, `again${(firsts += 1)}`, 1, 0, seed + firsts)
        throw new Error('Not all are subscribed yet.')
      },
      { timeoutMs: 60_000, everyMs: 200 },
    )
    const started = (await counts()).published
    const share = Math.floor(events / publishers)
    for (let publisher = 0; publisher < publishers; publisher += 1) {
      await loads[publisher % loads.length]?.call('publish', urls, `p${publisher}`, share, seconds * 1_000, seed * 100 + publisher)
    }
    await Promise.all([wait(seconds * 1_000), ...faults.map((fault) => wait(fault.atMs).then(() => injectFault(cluster, fault)))])
    await healCluster(cluster)
    const healedMs = performance.now()
    const isSettled = await eventually(
      async () => {
        const { published, lowest, last } = await counts()
        if (published < started + share * publishers || lowest < last)
          throw new Error(`${published} published, ${lowest} of ${last} received.`)
        return true
      },
      { timeoutMs: settleMs, everyMs: 100 },
    ).catch(() => false)
    const settledMs = isSettled ? Math.round(performance.now() - healedMs) : -1
    const parts = await all<DurableHistory>('takeHistory')
    const history: DurableHistory = {
      published: parts.flatMap((part) => part.published),
      seen: parts.flatMap((part) => part.seen),
      unsettled: parts.flatMap((part) => part.unsettled),
    }
    return { seed, faults: faults.length, settledMs, ...checkDurable(withoutFirst(history)) }
  } finally {
    await all('close').catch(() => {})
    await Promise.all(loads.map((load) => load.kill()))
    await cluster.close()
  }
}

/** Without the events before all were subscribed. */
function withoutFirst({ published, seen, unsettled }: DurableHistory): DurableHistory {
  const isCounted = (name: string): boolean => name.startsWith('p')
  return {
    published: published.filter(({ publisher }) => isCounted(publisher)),
    seen: seen.map(({ subscriber, items }) => ({
      subscriber,
      items: items.filter((item) => 'gap' in item || isCounted(item.publisher)),
    })),
    unsettled,
  }
}
