import { createHash } from 'node:crypto'
import { RealtimeError, type JsonObject } from '@tutti/protocol'
import type { Listeners } from '@tutti/protocol/internal'
import type { StateChange } from '../contract.ts'
import { jsonOfText, valueOfText } from '../stored-text.ts'
import type { StoreSettings } from '../store-options.ts'
import type { DriverTexts } from './driver-texts.ts'
import type { NameIndex } from './name-index.ts'
import { parseRecord, recordKey, textOfRecord, type Memory, type StateRecord } from './state-record.ts'

/** The current state of a key: its record, and the text of its value (null: absent). */
export interface LocalEntry {
  record: StateRecord
  text: string | null
}

/** The changes of a commit. */
export interface Commit {
  text: string | null
  expiresAt?: number | undefined
  /** The author, and the remembered outcome. */
  memory?: { name: string; number: number; result: number | undefined } | undefined
  /** Data for subscribers besides the value, or instead of it. */
  announced?: { writer: string | undefined; base: number; patch: JsonObject | undefined } | undefined
}

/** Entries in a driver. The caller must not access one key concurrently. */
export interface LocalEntries {
  /**
   * The current entry. Completes a write interrupted by a crash, removes an expired value, and gives values of other programs a
   * version.
   */
  load(key: string): Promise<LocalEntry>
  /**
   * Gives the entry its next version: record first, then value, then the listeners. If the driver fails: `UNAVAILABLE` if
   * nothing of the write remains, else `OUTCOME_UNKNOWN`.
   */
  commit(key: string, entry: LocalEntry, commit: Commit): Promise<LocalEntry>
  /** Deletes the record of a key that was removed longer than `tombstoneMs` ago, unless it contains a remembered mutation. */
  sweep(key: string): Promise<void>
  /** Remembers a refusal; the entry is unchanged. */
  remember(key: string, entry: LocalEntry, author: string, memory: Omit<Memory, 'at'>): Promise<void>
}

const MAX_FINISHED = 10_000

/** Dependencies of the entries. */
export interface LocalEntriesOptions {
  texts: DriverTexts
  index: NameIndex
  listeners: Listeners<[StateChange]>
  settings: StoreSettings
  now: () => number
}

/** Makes the entries over a driver. */
export function createLocalEntries({ texts, index, listeners, settings, now }: LocalEntriesOptions): LocalEntries {
  const announce = (key: string, { record, text }: LocalEntry, announced?: Commit['announced']): void => {
    index.note(key, text !== null)
    if (listeners.size === 0) return
    const change: StateChange = { key, version: record.version }
    if (announced?.writer !== undefined) change.writer = announced.writer
    if (text === null) return listeners.emit({ ...change, removed: true })
    if (record.expiresAt !== undefined) change.expiresAt = record.expiresAt
    if (announced?.patch !== undefined) {
      const json = JSON.stringify(announced.patch)
      if (json.length < text.length && isSmall(json)) return listeners.emit({ ...change, base: announced.base, patch: announced.patch })
    }
    listeners.emit(isSmall(jsonOfText(text)) ? { ...change, value: valueOfText(text) } : change)
  }

  /**
   * Versions whose value is known to be written. If such a value equals the one before its version, another program restored
   * it. Bounded: for a dropped key, only this detection is lost.
   */
  const finished = new Map<string, number>()
  const finish = (key: string, { version }: StateRecord): void => {
    finished.delete(key)
    finished.set(key, version)
    for (const oldest of finished.keys()) {
      if (finished.size <= MAX_FINISHED) break
      finished.delete(oldest)
    }
  }

  const isSmall = (json: string): boolean => Buffer.byteLength(json) <= settings.inlineValueMaxBytes

  /** The memories that have not expired, and the added one. */
  const memoriesWith = (memories: StateRecord['memories'], added?: [author: string, memory: Memory]): StateRecord['memories'] => {
    const young = Object.entries(memories).filter(([, { at }]) => at > now() - settings.mutationMemoryMs)
    return Object.fromEntries(added === undefined ? young : [...young, added])
  }

  /** After a failed write: whether the entry is as before. If not, the next access detects it and may complete the write. */
  const undo = async (key: string, { record, text }: LocalEntry): Promise<boolean> => {
    try {
      if ((await texts.getExpected(key, text)) !== text) return false
      await texts.put(recordKey(key), record.version === 0 ? null : textOfRecord(record))
      return true
    } catch {
      return false
    }
  }

  const commit = async (key: string, entry: LocalEntry, change: Commit): Promise<LocalEntry> => {
    const at = now()
    const version = Math.max(entry.record.version + 1, Math.floor(at * 1000))
    const { memory } = change
    const record: StateRecord = {
      version,
      text: change.text,
      before: fingerprint(entry.text),
      expiresAt: change.expiresAt,
      memories: memoriesWith(
        entry.record.memories,
        memory && [memory.name, { verdict: 'ok', version, at, number: memory.number, result: memory.result }],
      ),
    }
    try {
      await texts.put(recordKey(key), textOfRecord(record))
      if (change.text !== entry.text) await texts.put(key, change.text)
    } catch (cause) {
      const isUndone = await undo(key, entry)
      const message = `The storage driver failed, see \`cause\`. The change of ${key} ${isUndone ? 'was not applied' : 'may have been applied'}.`
      throw new RealtimeError(isUndone ? 'UNAVAILABLE' : 'OUTCOME_UNKNOWN', { message, cause })
    }
    finish(key, record)
    const committed = { record, text: change.text }
    announce(key, committed, change.announced)
    return committed
  }

  return {
    commit,
    load: async (key) => {
      const record = parseRecord(await texts.get(recordKey(key)))
      const text = await texts.getExpected(key, record.text)
      if (text !== record.text && fingerprint(text) === record.before && finished.get(key) !== record.version) {
        // The process died, or the driver failed, after the record and before the value.
        await texts.put(key, record.text)
        finish(key, record)
        const finished = { record, text: record.text }
        announce(key, finished)
        return finished
      }
      if (record.expiresAt !== undefined && record.expiresAt <= now()) return commit(key, { record, text }, { text: null })
      // Another program stored or removed the value.
      if ((text === null) !== (record.text === null)) return commit(key, { record, text }, { text })
      return { record, text }
    },
    sweep: async (key) => {
      const { version, text, memories } = parseRecord(await texts.get(recordKey(key)))
      const isOld = version / 1000 < now() - settings.tombstoneMs
      if (text === null && isOld && Object.keys(memoriesWith(memories)).length === 0) await texts.put(recordKey(key), null)
    },
    remember: async (key, { record }, author, memory) => {
      await texts.put(
        recordKey(key),
        textOfRecord({ ...record, memories: memoriesWith(record.memories, [author, { ...memory, at: now() }]) }),
      )
    },
  }
}

/** A short fingerprint of a text, to compare it without storing it. */
const fingerprint = (text: string | null): string => (text === null ? 'none' : createHash('sha256').update(text).digest('base64url'))
