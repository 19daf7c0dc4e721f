import { RealtimeError } from '@tutti/protocol'
import type { LiveDocument } from '../live-document.ts'
import type { LiveDocuments } from '../live-documents.ts'

/** Documents of one instance that are stored at the same time. */
const CONCURRENCY = 4

/** Time until a document that could not be read is tried again, milliseconds. */
const RETRY_MS = 1_000

/** Stores documents whose instance is gone. */
export interface TakeOver {
  /** The document may have updates in its log that are not in the database. */
  take(document: string): void
  close(): void
}

/** What it needs. */
export interface TakeOverOptions {
  documents: Pick<LiveDocuments, 'hold' | 'release'>
  flush: (document: LiveDocument) => Promise<void>
  onError: (error: unknown, document: string) => void
}

/** Makes the take-over of one instance: it opens each document, stores it, and lets it leave memory when that has succeeded (D6). */
export function createTakeOver({ documents, flush, onError }: TakeOverOptions): TakeOver {
  const waiting = new Set<string>()
  const retries = new Set<NodeJS.Timeout>()
  let running = 0
  let isClosed = false

  const store = async (document: string): Promise<void> => {
    const live = await documents.hold(document)
    try {
      if (live.hasUnstored) await flush(live)
    } finally {
      documents.release(document)
    }
  }
  const later = (document: string, retryAfterMs: number): void => {
    const timer = setTimeout(() => {
      retries.delete(timer)
      take(document)
    }, retryAfterMs)
    timer.unref()
    retries.add(timer)
  }
  const failed = (document: string, error: unknown): void => {
    if (isClosed) return
    // What is not available was reported by its circuit breaker.
    if (!(error instanceof RealtimeError && error.retryable)) onError(error, document)
    later(document, (error instanceof RealtimeError ? error.retryAfterMs : undefined) ?? RETRY_MS)
  }
  const next = (): void => {
    const [document] = waiting
    if (document === undefined || running >= CONCURRENCY || isClosed) return
    waiting.delete(document)
    running += 1
    void store(document)
      .catch((error: unknown) => failed(document, error))
      .finally(() => {
        running -= 1
        next()
      })
  }
  const take = (document: string): void => {
    waiting.add(document)
    next()
  }
  return {
    take,
    close: () => {
      isClosed = true
      for (const timer of retries) clearTimeout(timer)
    },
  }
}
