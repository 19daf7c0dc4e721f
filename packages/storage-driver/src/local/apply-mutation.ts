import { applyPatch, incremented, type JsonObject } from '@tutti/protocol'
import type { Mutation } from '../contract.ts'
import { valueOfText } from '../stored-text.ts'

/** A change of one key before it has a version; `text` is stored unchanged. */
export type LocalMutation =
  | Mutation
  | { op: 'text'; key: string; text: string; ttlMs?: number | undefined; author?: undefined; writer?: undefined }

/** The effect of a mutation on a value: the text to store (null: none), and the data for the writer and the subscribers. */
export type Applied = { text: string | null; result?: number; patch?: JsonObject } | { refused: 'conflict' | 'number' }

/** Applies a mutation to the stored text (null: absent) of a key at a version. */
export function applyMutation(mutation: LocalMutation, stored: string | null, version: number): Applied {
  switch (mutation.op) {
    case 'set':
      return matches(mutation.ifVersion, stored, version) ? { text: JSON.stringify(mutation.value) } : { refused: 'conflict' }
    case 'text':
      return { text: mutation.text }
    case 'remove':
      return matches(mutation.ifVersion, stored, version) ? { text: null } : { refused: 'conflict' }
    case 'increment': {
      const sum = incremented(stored === null ? (mutation.initial ?? 0) : valueOfText(stored), mutation.by)
      return sum === undefined ? { refused: 'number' } : { text: JSON.stringify(sum), result: sum }
    }
    case 'patch': {
      const merged = applyPatch(stored === null ? undefined : valueOfText(stored), mutation.patch)
      return { text: JSON.stringify(merged), result: version, patch: mutation.patch }
    }
  }
}

/** S6: 0 matches an absent key, regardless of the version of its removal. */
const matches = (ifVersion: number | undefined, stored: string | null, version: number): boolean =>
  ifVersion === undefined || (ifVersion === 0 && stored === null) || ifVersion === version
