import type { JsonValue } from './json.ts'

/** A key that has a value, at one version. */
export interface PresentEntry {
  key: string
  version: number
  value: JsonValue
}

/** A key without a value: removed at `version`, or never written (version 0). */
export interface AbsentEntry {
  key: string
  version: number
  removed: true
}

/** The state of one key at one version. */
export type Entry = PresentEntry | AbsentEntry

/** Whether the key has no value. */
export const isAbsent = (entry: Entry): entry is AbsentEntry => 'removed' in entry

/** The entry of a key that never had a value. */
export const neverThere = (key: string): AbsentEntry => ({ key, version: 0, removed: true })

/** The value, or `undefined` for an absent key (S10: `null` is a value). */
export const valueOf = (entry: Entry): JsonValue | undefined => (isAbsent(entry) ? undefined : entry.value)
