import { RealtimeError } from '@tutti/protocol'
import type { DocumentStore } from './document-store.ts'

/** Time between two runs, milliseconds. */
const INTERVAL_MS = 3_600_000

/** What the task needs. */
export interface PruneTaskOptions {
  store: Pick<DocumentStore, 'prune'>
  /** How long updates that a snapshot contains are kept, milliseconds. */
  keepUpdatesMs: number
  onError: (error: unknown) => void
}

/** Removes updates that a snapshot contains from the database once an hour (D4). Returns a function that ends it. */
export function startPruneTask({ store, keepUpdatesMs, onError }: PruneTaskOptions): () => void {
  const prune = (): void => {
    store.prune(keepUpdatesMs).catch((error: unknown) => {
      // An outage was reported; the next run removes them.
      if (!(error instanceof RealtimeError)) onError(error)
    })
  }
  const timer = setInterval(prune, Math.min(INTERVAL_MS, keepUpdatesMs))
  timer.unref()
  return () => clearInterval(timer)
}
