import type { StateStore } from './contract.ts'

/** Version and lifetime of a stored value. */
export interface EntryInfo {
  version: number
  /** When the entry expires, milliseconds since 1970. */
  expiresAt?: number | undefined
}

/** A `StateStore` that also reads and writes values as stored texts, as an unstorage driver needs them. */
export interface RawStore extends StateStore {
  /** The stored text, or null. Throws `INVALID_KEY`. */
  getText(key: string): Promise<string | null>
  /** Stores a text unchanged, as one write: versioned and announced (S11). */
  setText(key: string, text: string, ttlMs?: number): Promise<void>
  /** Keys below a prefix (`todos:`, or '' for all) that have a value. */
  keys(prefix: string): Promise<string[]>
  /** Version and lifetime of a key that has a value, else null. */
  info(key: string): Promise<EntryInfo | null>
  /** unstorage's meta of a key: a text beside the value, without version, not announced. */
  getMeta(key: string): Promise<string | null>
  setMeta(key: string, text: string | null): Promise<void>
}
