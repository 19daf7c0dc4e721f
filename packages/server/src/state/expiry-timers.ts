import { RealtimeError } from '@tutti/protocol'
import type { StateStore, StoredEntry } from '@tutti/storage-driver/contract'
import type { ServerErrorListener } from '../feature.ts'
import { isPassing } from './passing-failure.ts'

/** The longest that `setTimeout` can wait, milliseconds. */
const LONGEST_MS = 2 ** 31 - 1

/** An entry ends only after the millisecond that is its time, and a look too early costs another. */
const AFTER_MS = 5

/** Between two looks at an entry whose time has come, and that the store still has or can't be asked for, milliseconds. */
const AGAIN_MS = 200

/** Timers that may stand before those of keys that nobody watches any more are looked for. */
const FEW = 1_000

/** What the timers need. */
export interface ExpiryTimersOptions {
  store: Pick<StateStore, 'now' | 'read'>
  /** Tells whether anybody here watches the key. */
  isWatched(key: string): boolean
  onError: ServerErrorListener
}

/**
 * Sees to it that entries with a lifetime end on time for those who watch them here (S18). When the time has come, the
 * entry is read: the first instance that does so makes the store give the end its version and announce it to all, and a
 * write that came meanwhile is simply what is read. A store that is away is asked until it is back.
 */
export class ExpiryTimers {
  private readonly timers = new Map<string, { version: number; timer: NodeJS.Timeout }>()
  private readonly options: ExpiryTimersOptions
  private many = FEW
  private closed = false

  constructor(options: ExpiryTimersOptions) {
    this.options = options
  }

  /** The entry ends at that time of the store's clock, or lasts, as far as this version of it says. */
  note(key: string, version: number, expiresAt: number | undefined): void {
    const known = this.timers.get(key)
    // A read and a change may overtake each other.
    if (known !== undefined && known.version > version) return
    this.forget(key)
    if (expiresAt === undefined || !this.options.isWatched(key)) return
    const untilMs = expiresAt - this.options.store.now()
    this.plan(key, version, untilMs > 0 ? untilMs + AFTER_MS : AGAIN_MS)
  }

  /** Leaves no timer. */
  close(): void {
    this.closed = true
    for (const key of [...this.timers.keys()]) this.forget(key)
  }

  private plan(key: string, version: number, ms: number): void {
    if (this.closed) return
    if (this.timers.size >= this.many) this.sweep()
    const timer = setTimeout(() => void this.look(key, version), Math.min(ms, LONGEST_MS))
    this.timers.set(key, { version, timer })
  }

  private async look(key: string, version: number): Promise<void> {
    this.timers.delete(key)
    if (!this.options.isWatched(key)) return
    try {
      const [entry] = await this.options.store.read([key])
      if (entry !== undefined) this.note(key, entry.version, entry.expiresAt)
    } catch (error) {
      if (isPassing(error)) this.plan(key, version, AGAIN_MS)
      else if (!(error instanceof RealtimeError && error.code === 'CLOSED')) this.options.onError(error, { stage: 'watch', subject: key })
    }
  }

  private forget(key: string): void {
    clearTimeout(this.timers.get(key)?.timer)
    this.timers.delete(key)
  }

  private sweep(): void {
    for (const key of [...this.timers.keys()]) if (!this.options.isWatched(key)) this.forget(key)
    this.many = Math.max(FEW, 2 * this.timers.size)
  }
}

/** A store whose entries are plain, as clients get them, and whose times are noted by the timers. */
export function followingExpiry(store: StateStore, timers: ExpiryTimers): StateStore {
  const plain = ({ expiresAt, ...entry }: StoredEntry): StoredEntry => {
    timers.note(entry.key, entry.version, expiresAt)
    return entry
  }
  return {
    read: async (keys) => (await store.read(keys)).map(plain),
    readChanged: async (known) => (await store.readChanged(known)).map(plain),
    list: async (prefix, after) => {
      const page = await store.list(prefix, after)
      return { ...page, entries: page.entries.map(plain) }
    },
    write: (mutation, options) => store.write(mutation, options),
    onChange: (listener, wants) =>
      store.onChange((change) => {
        listener(change)
        timers.note(change.key, change.version, change.expiresAt)
      }, wants),
    touch: (key) => store.touch(key),
    reindex: () => store.reindex(),
    onGap: (listener) => store.onGap(listener),
    now: () => store.now(),
    dispose: () => store.dispose(),
  }
}
