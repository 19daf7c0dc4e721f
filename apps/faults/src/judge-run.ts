import { setTimeout as wait } from 'node:timers/promises'
import type { Entry } from '@tutti/protocol'
import { checkCounters, checkHistory, type FinalEntry, type Violation } from '@tutti/test-kit'
import type { Cluster } from './cluster.ts'
import type { Load } from './load.ts'
import type { PlantedBug } from './planted-bug.ts'
import { KEYS } from './workload.ts'

/** Generous, for busy machines: a change that never settles, and views that never converge, are violations all the same. */
const PATIENT = { settleMs: 60_000, convergeMs: 60_000 }
/** With a planted bug, where waiting is of no use. */
const HASTY = { settleMs: 20_000, convergeMs: 5_000 }

/** The result of a load. */
export interface Judgement {
  /** Mutations that the server acknowledged. */
  readonly acknowledged: number
  readonly refused: number
  /** Mutations with an unknown outcome. */
  readonly unknown: number
  readonly observations: number
  /** From the last change until every client showed what is stored, milliseconds; -1: never. */
  readonly convergedMs: number
  readonly violations: readonly (Violation | { rule: 'settles'; key: string; message: string })[]
}

/** Ends a load, waits until everything is settled and shown, and checks the histories of all clients. */
export async function judgeRun(load: Load, cluster: Cluster, bug?: PlantedBug): Promise<Judgement> {
  const { settleMs, convergeMs } = bug === undefined ? PATIENT : HASTY
  const stuck = await load.settle(settleMs)
  const final = await readFinal(cluster)
  const convergedMs = await converge(load, final, convergeMs)
  const histories = await load.history()
  const operations = histories.flatMap((history) => history.operations)
  const observations = histories.flatMap((history) => history.observations)
  const calls = histories.flatMap((history) => history.calls)
  const count = (kind: string): number => operations.filter(({ outcome }) => outcome.kind === kind).length
  return {
    ...{ convergedMs, acknowledged: count('done'), refused: count('refused'), unknown: count('unknown') },
    observations: observations.length,
    violations: [
      ...stuck.map((message) => ({ rule: 'settles' as const, key: '', message })),
      ...checkHistory({ operations, observations, final }),
      ...checkCounters(calls, final).map((violation) => ({ ...violation, message: `By the promises: ${violation.message}` })),
    ],
  }
}

/** The stored entries, once the first instance can read them. */
export async function readFinal({ places }: Cluster): Promise<FinalEntry[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const entries = (await places[0]?.instance?.call('read', KEYS)) as Entry[]
      return entries.map((entry) => {
        const { key, version } = entry
        return { key, version, content: 'removed' in entry ? { absent: true } : { value: entry.value } }
      })
    } catch (error) {
      if (attempt === 20) throw error
      await wait(200)
    }
  }
}

async function converge(load: Load, final: readonly FinalEntry[], withinMs: number): Promise<number> {
  const start = performance.now()
  for (;;) {
    const clients = await load.shown()
    const passed = Math.round(performance.now() - start)
    if (clients.every((shown) => final.every(({ key, version }) => shown[key] === version))) return passed
    if (passed > withinMs) return -1
    await wait(20)
  }
}
