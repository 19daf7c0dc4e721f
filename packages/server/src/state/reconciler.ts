import type { StateStore } from '@tutti/storage-driver/contract'
import { isPassing } from './passing-failure.ts'

/** Keys that are compared at once at most. */
const BATCH = 100

/** What the audit needs. */
export interface AuditOptions {
  store: Pick<StateStore, 'readChanged'>
  /** How long one round takes, milliseconds; 0: there is no audit. */
  intervalMs: number
  /** The keys that somebody here watches. */
  keys(): readonly string[]
  /** The version that everybody here was told of a key; undefined where that is no one version. */
  versionOf(key: string): number | undefined
  /** Reads the entries and tells what differs. Reports its failures itself. */
  repair(keys: readonly string[]): Promise<void>
  /** Tells of entries below the prefixes that somebody here watches, and of which nobody here has heard. Reports its failures itself. */
  repairPrefixes(): Promise<void>
}

/**
 * Finds what nobody announced: a notification that was lost unnoticed, a value that another program removed. Goes round
 * the keys that are watched here, a batch at a time, evenly over the interval, and asks the store for nothing but the
 * entries whose version is another (S4). At the end of a round it lists the prefixes that are watched, for entries that came
 * unheard. Starts at once. Returns its end.
 */
export function startAudit({ store, intervalMs, keys, versionOf, repair, repairPrefixes }: AuditOptions): () => void {
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
    if (known.size > 0) for (const { key } of await store.readChanged(known)) differing.push(key)
    if (differing.length > 0) await repair(differing)
  }

  const step = async (): Promise<void> => {
    const batch = round.splice(0, BATCH)
    await compare(batch).catch(async (error: unknown) => {
      // A store that is away is repaired from when it is back (F3). One key that can't be read must not hide the others.
      if (!isPassing(error) && !ended) await repair(batch)
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
