import { RealtimeError } from '@tutti/protocol'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { ServerErrorListener } from '../feature.ts'
import { isTransient } from './transient-error.ts'

/** The longest that `setTimeout` can wait, milliseconds. */
const LONGEST_MS = 2 ** 31 - 1

/** An entry ends only after the millisecond that is its time, and a read too early costs another one. */
const AFTER_MS = 5

/** Between two reads of an entry whose time has come and that the store still has, or cannot read, milliseconds. */
const AGAIN_MS = 200

/** Timers that may exist before those of keys without subscribers are searched for. */
const FEW = 1_000

/** What expiry needs. */
export interface ExpiryOptions {
  readonly store: Pick<StateStore, 'now' | 'read'>
  /** Whether a connection or listener here subscribes to the key. */
  isWatched(key: string): boolean
  readonly onError: ServerErrorListener
}

/** Ends of entries with a lifetime. */
export interface Expiry {
  /** This version of the entry ends at that time of the store's clock; undefined: never. */
  note(key: string, version: number, expiresAt: number | undefined): void
  /** Leaves no timer. */
  close(): void
}

/**
 * Makes entries with a lifetime end on time for their subscribers here (S18). At that time the entry is read: the first
 * instance to do so makes the store give the expiry its version and announce it to all, and a write in the meantime is simply
 * read. A store that is unavailable is queried until it is available.
 */
export function createExpiry({ store, isWatched, onError }: ExpiryOptions): Expiry {
  const timers = new Map<string, { readonly version: number; readonly timer: NodeJS.Timeout }>()
  let many = FEW
  let closed = false

  const forget = (key: string): void => {
    clearTimeout(timers.get(key)?.timer)
    timers.delete(key)
  }

  const sweep = (): void => {
    for (const key of [...timers.keys()]) if (!isWatched(key)) forget(key)
    many = Math.max(FEW, 2 * timers.size)
  }

  const plan = (key: string, version: number, ms: number): void => {
    if (closed) return
    if (timers.size >= many) sweep()
    const timer = setTimeout(() => void read(key, version), Math.min(ms, LONGEST_MS))
    timers.set(key, { version, timer })
  }

  const read = async (key: string, version: number): Promise<void> => {
    timers.delete(key)
    if (!isWatched(key)) return
    try {
      const [entry] = await store.read([key])
      if (entry !== undefined) note(key, entry.version, entry.expiresAt)
    } catch (error) {
      if (isTransient(error)) plan(key, version, AGAIN_MS)
      else if (!(error instanceof RealtimeError && error.code === 'CLOSED')) onError(error, { stage: 'watch', subject: key })
    }
  }

  const note = (key: string, version: number, expiresAt: number | undefined): void => {
    const known = timers.size === 0 ? undefined : timers.get(key)
    // A read and a change may overtake each other.
    if (known !== undefined && known.version > version) return
    if (known !== undefined) forget(key)
    if (expiresAt === undefined || !isWatched(key)) return
    const untilMs = expiresAt - store.now()
    plan(key, version, untilMs > 0 ? untilMs + AFTER_MS : AGAIN_MS)
  }

  return {
    note,
    close: () => {
      closed = true
      for (const key of [...timers.keys()]) forget(key)
    },
  }
}
