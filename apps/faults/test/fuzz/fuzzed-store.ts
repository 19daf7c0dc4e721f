import { RealtimeError } from '@tutti/protocol'
import type { Mutation, StateChange, StateStore, StoredEntry, WriteOptions, WriteResult } from '@tutti/storage-driver/contract'

/** The fate of a write: applied with a reply, applied without one, or never applied. */
export type WriteFate = 'done' | 'lost' | 'refused'

/**
 * One instance's view of a shared store, like Redis: writes take effect at once, replies arrive in any order, and changes
 * arrive over a separate connection, in their order, before or after the replies, or never.
 */
export class FuzzedStore implements StateStore {
  /** Decides about each write. */
  fate: () => WriteFate = () => 'done'
  private readonly shared: StateStore
  private readonly answers: (() => void)[] = []
  private readonly changes: StateChange[] = []
  private readonly listeners = new Set<(change: StateChange) => void>()
  private readonly gapListeners = new Set<() => void>()
  private readonly forget: () => void
  private missed = false

  constructor(shared: StateStore) {
    this.shared = shared
    this.forget = shared.onChange((change) => this.changes.push(change))
  }

  get answerCount(): number {
    return this.answers.length
  }

  get changeCount(): number {
    return this.changes.length
  }

  /** Delivers the waiting reply at this index. */
  answer(index: number): void {
    for (const settle of this.answers.splice(index, 1)) settle()
  }

  /** Delivers the next change. */
  announce(): void {
    const change = this.changes.shift()
    if (change !== undefined) for (const listener of this.listeners) listener(change)
  }

  /** Loses the changes in transit. */
  loseChanges(): void {
    this.missed ||= this.changes.length > 0
    this.changes.length = 0
  }

  /** Reports a gap if changes were lost. */
  reportGap(): void {
    if (!this.missed) return
    this.missed = false
    for (const listener of this.gapListeners) listener()
  }

  read(keys: readonly string[]): Promise<StoredEntry[]> {
    return this.later(this.shared.read(keys))
  }

  readChanged(known: ReadonlyMap<string, number>): Promise<StoredEntry[]> {
    return this.later(this.shared.readChanged(known))
  }

  write(mutation: Mutation, options?: WriteOptions): Promise<WriteResult> {
    const fate = this.fate()
    if (fate === 'refused') return this.later(Promise.reject(new RealtimeError('UNAVAILABLE')))
    const written = this.shared.write(mutation, options)
    const lost = (): never => {
      throw new RealtimeError('OUTCOME_UNKNOWN')
    }
    return this.later(fate === 'lost' ? written.then(lost, lost) : written)
  }

  onChange(listener: (change: StateChange) => void): (() => void) & { ready: Promise<void> } {
    this.listeners.add(listener)
    return Object.assign(() => void this.listeners.delete(listener), { ready: Promise.resolve() })
  }

  onGap(listener: () => void): () => void {
    this.gapListeners.add(listener)
    return () => void this.gapListeners.delete(listener)
  }

  now: StateStore['now'] = () => this.shared.now()
  list: StateStore['list'] = (prefix, after) => this.shared.list(prefix, after)
  touch: StateStore['touch'] = (key) => this.shared.touch(key)
  reindex: StateStore['reindex'] = () => this.shared.reindex()

  dispose(): Promise<void> {
    this.forget()
    return Promise.resolve()
  }

  private later<T>(result: Promise<T>): Promise<T> {
    result.catch(() => {})
    return new Promise((resolve, reject) => this.answers.push(() => void result.then(resolve, reject)))
  }
}
