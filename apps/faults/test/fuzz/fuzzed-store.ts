import { RealtimeError } from '@tutti/protocol'
import type { Mutation, StateChange, StateStore, StoredEntry, WriteOptions, WriteResult } from '@tutti/storage-driver/contract'

/** What becomes of a write: done and told, done but its answer lost, or never done. */
export type WriteFate = 'done' | 'lost' | 'refused'

/**
 * One instance's view of a store that all share, as Redis gives it: what is written is there at once, the answers come in
 * any order, and changes are heard by another way, in their order, before or after the answers, or never.
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

  /** The answer at this place of those that wait arrives. */
  answer(index: number): void {
    for (const settle of this.answers.splice(index, 1)) settle()
  }

  /** The next change is heard. */
  announce(): void {
    const change = this.changes.shift()
    if (change !== undefined) for (const listener of this.listeners) listener(change)
  }

  /** The changes that are on their way are never heard. */
  loseChanges(): void {
    this.missed ||= this.changes.length > 0
    this.changes.length = 0
  }

  /** Says that changes may have been missed, where some were. */
  tellGap(): void {
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
