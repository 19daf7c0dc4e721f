import type { EntryReads } from './entry-reads.ts'
import { isTransient } from './transient-error.ts'

/** Keys that are compared at once at most. */
const BATCH = 100

/** What reconciliation needs. */
export interface ReconcilerOptions {
  readonly reads: Pick<EntryReads, 'readChanged'>
  /** How long one round takes, milliseconds; 0: there is no reconciliation. */
  readonly intervalMs: number
  /** The keys that have subscribers here. */
  keys(): readonly string[]
  /** The version of a key that all subscribers here have; undefined where it is not one for all. */
  versionOf(key: string): number | undefined
  /** Reads the entries and delivers what differs. Reports its failures itself. */
  repair(keys: readonly string[]): Promise<void>
  /** Delivers entries below subscribed prefixes of which nothing was sent here. Reports its failures itself. */
  repairPrefixes(): Promise<void>
}

/**
 * Finds changes that were never announced: a notification that was lost unnoticed, a value that another program removed. Goes
 * through the subscribed keys, a batch at a time, evenly over the interval, and reads from the store only the entries whose
 * version differs (S4). At the end of a round it lists the subscribed prefixes, for entries that were not announced. Starts at
 * once. Returns a function that ends it.
 */
export function startReconciler({ reads, intervalMs, keys, versionOf, repair, repairPrefixes }: ReconcilerOptions): () => void {
  if (intervalMs === 0) return () => {}
  let round: string[] = []
  let pauseMs = intervalMs
  let ended = false
  let timer: NodeJS.Timeout

  const compare = async (batch: readonly string[]): Promise<void> => {
    const known = new Map<string, number>()
    const differing: string[] = []
    for (const key of batch) {
      const version = versionOf(key)
      if (version === undefined) differing.push(key)
      else known.set(key, version)
    }
    if (known.size > 0) for (const { key } of await reads.readChanged(known)) differing.push(key)
    if (differing.length > 0) await repair(differing)
  }

  const step = async (): Promise<void> => {
    const batch = round.splice(0, BATCH)
    await compare(batch).catch(async (error: unknown) => {
      // After an outage of the store all keys are repaired (F3). A key that cannot be read must not hide the others.
      if (!isTransient(error) && !ended) await repair(batch)
    })
    if (round.length === 0 && !ended) await repairPrefixes()
    plan()
  }

  const plan = (): void => {
    if (ended) return
    if (round.length === 0) {
      round = [...keys()]
      pauseMs = intervalMs / Math.max(1, Math.ceil(round.length / BATCH))
    }
    timer = setTimeout(() => void step(), pauseMs)
  }

  plan()
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
