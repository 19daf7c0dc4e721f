import { applyPatch, callSafely, isAbsent, neverThere, type Entry } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'

/** Keeps one key's entry up to date from its changes, and reads it where they don't suffice. For server code that watches. */
export class EntryFollower {
  private entry: Entry
  private reading = false
  private waiting: StateChange[] = []
  private readonly read: () => Promise<Entry>
  private readonly listener: (entry: Entry) => void
  private readonly onError: (error: unknown) => void

  constructor(key: string, read: () => Promise<Entry>, listener: (entry: Entry) => void, onError: (error: unknown) => void) {
    this.entry = neverThere(key)
    this.read = read
    this.listener = listener
    this.onError = onError
  }

  /** Reads the entry as it is and tells it where it differs from what was told; changes wait meanwhile. */
  async refresh(): Promise<void> {
    if (this.reading) return
    this.reading = true
    try {
      const entry = await this.read()
      if (entry.version !== this.entry.version) this.tell(entry)
    } catch (error) {
      this.onError(error)
    } finally {
      this.reading = false
    }
    for (const change of this.waiting.splice(0)) this.hear(change)
  }

  hear(change: StateChange): void {
    if (this.reading) return void this.waiting.push(change)
    if (change.version <= this.entry.version) return
    const next = this.next(change)
    if (next === undefined) void this.refresh()
    else this.tell(next)
  }

  private next({ key, version, base, patch, value, removed }: StateChange): Entry | undefined {
    if (removed === true) return { key, version, removed }
    if (value !== undefined) return { key, version, value }
    if (patch === undefined || base !== this.entry.version) return undefined
    return { key, version, value: applyPatch(isAbsent(this.entry) ? undefined : this.entry.value, patch) }
  }

  private tell(entry: Entry): void {
    this.entry = entry
    callSafely(() => this.listener(entry), this.onError)
  }
}
