import type { Entry } from '@tutti/protocol'
import type { StateStore } from '@tutti/storage-driver/contract'
import type { ServerErrorListener } from '../feature.ts'
import { isPassing } from './passing-failure.ts'
import type { ResumeOptions, SubscribedKey } from './subscribed-key.ts'

/** Keys in one read at most. */
const BATCH = 500

/** Between two tries to read what the store could not be asked for, milliseconds. */
const RETRY_MS = 500

/** The subscribed keys, as the reader needs them. */
export interface KeysToRead {
  open(key: string): SubscribedKey
  has(key: string): boolean
  /** Forgets the key if nobody watches it. */
  collect(key: string): void
}

/** Reads the entries of subscribed keys anew: what was too large to be announced (S5), and what may have been missed (F3). */
export class EntryReader {
  /** Keys that are to be read as soon as the store answers. */
  private readonly unread = new Set<string>()
  private retry: NodeJS.Timeout | undefined
  private closed = false
  private readonly store: StateStore
  private readonly onError: ServerErrorListener
  private readonly keys: KeysToRead

  constructor(store: StateStore, onError: ServerErrorListener, keys: KeysToRead) {
    this.store = store
    this.onError = onError
    this.keys = keys
  }

  /** Reads them, however many they are; what the store can't answer now, later. `writer` knows the entry at that version. */
  async refresh(keys: readonly string[], writer?: ResumeOptions['writer']): Promise<void> {
    for (let start = 0; start < keys.length; start += BATCH) {
      const batch = keys.slice(start, start + BATCH)
      await this.read(batch, writer).catch((error: unknown) => this.failed(batch, error))
    }
  }

  /** Reads nothing more by itself. */
  close(): void {
    this.closed = true
    clearTimeout(this.retry)
  }

  private async read(keys: readonly string[], writer: ResumeOptions['writer']): Promise<void> {
    const held = keys.map((key) => this.keys.open(key)).map((subscribed) => ({ subscribed, toldBefore: subscribed.hold() }))
    let entries: Entry[] = []
    try {
      entries = await this.store.read(keys)
    } finally {
      for (const [index, { subscribed, toldBefore }] of held.entries()) subscribed.resume(entries[index], { toldBefore, writer })
      for (const key of keys) this.keys.collect(key)
    }
  }

  private async failed(keys: readonly string[], error: unknown): Promise<void> {
    if (isPassing(error)) {
      // Told once for all that wait.
      if (this.retry === undefined) this.report(keys, error)
      for (const key of keys) this.unread.add(key)
      this.retry ??= this.plan()
    } else if (keys.length > 1) {
      // One bad key must not keep the others from being read.
      for (const key of keys) await this.refresh([key])
    } else this.report(keys, error)
  }

  private async readAgain(): Promise<void> {
    const keys = [...this.unread].filter((key) => this.keys.has(key))
    this.unread.clear()
    await this.refresh(keys)
    this.retry = this.unread.size > 0 ? this.plan() : undefined
  }

  private plan(): NodeJS.Timeout | undefined {
    return this.closed ? undefined : setTimeout(() => void this.readAgain(), RETRY_MS)
  }

  private report([subject]: readonly string[], error: unknown): void {
    this.onError(error, { stage: 'watch', subject })
  }
}
