import type { JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import type { MutationAuthor } from '../contract.ts'
import { parseJson } from '../stored-text.ts'

const VERDICTS = ['ok', 'conflict', 'number', 'lost', 'locked'] as const

/** The outcome of the last mutation of one client on one key (S12). */
export interface Memory {
  number: number
  verdict: (typeof VERDICTS)[number]
  version: number
  /** The sum of an increment, or the base of a patch. */
  result?: number | undefined
  /** Time of the mutation, milliseconds since 1970. */
  at: number
}

/**
 * The record of a key in any driver, stored beside the value under `<key>$state`. It is written before the value and contains
 * the text of the new value and a fingerprint of the previous one. So a write interrupted by a crash between the two is
 * detected and completed, and is distinguished from a write of another program.
 */
export interface StateRecord {
  version: number
  /** The text of the value, possibly not yet written; null once removed. */
  text: string | null
  /** Fingerprint of the previous text. */
  before: string
  /** When the value expires, milliseconds since 1970. */
  expiresAt?: number | undefined
  /** By author. */
  memories: Readonly<Record<string, Memory>>
}

/** The record of a key that was never written here. */
const noRecord: StateRecord = { version: 0, text: null, before: '', memories: {} }

const SUFFIX = '$state'

/** The driver's key for the record of a key. No key of a client contains a `$` (S19). */
export const recordKey = (key: string): string => `${key}${SUFFIX}`

/** The key whose record is stored under a driver's key, if any. */
export const keyOfRecord = (name: string): string | undefined => (name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : undefined)

/** The name of an author in `memories`. */
export const authorName = ({ user, clientId }: MutationAuthor): string => `${encodeURIComponent(user)}:${encodeURIComponent(clientId)}`

/** A record as text. */
export const textOfRecord = (record: StateRecord): string => JSON.stringify(record)

/** Parses a record. Invalid text, such as half a file after a crash, results in an empty record. */
export function parseRecord(stored: string | null): StateRecord {
  const record = stored === null ? undefined : fieldsOf(stored)
  if (record === undefined) return noRecord
  const { version, text, before, expiresAt, memories } = record
  if (typeof version !== 'number' || !(typeof text === 'string' || text === null) || typeof before !== 'string') return noRecord
  return {
    version,
    text,
    before,
    expiresAt: typeof expiresAt === 'number' ? expiresAt : undefined,
    memories: isJsonObject(memories) ? memoriesOf(memories) : {},
  }
}

function fieldsOf(text: string): Partial<Record<string, JsonValue>> | undefined {
  try {
    const record = parseJson(text)
    return isJsonObject(record) ? record : undefined
  } catch {
    return undefined
  }
}

const memoriesOf = (stored: Record<string, JsonValue>): Record<string, Memory> =>
  Object.fromEntries(
    Object.entries(stored).flatMap(([author, memory]): [string, Memory][] => {
      if (!isJsonObject(memory)) return []
      const { number, version, result, at } = memory
      const verdict = VERDICTS.find((known) => known === memory['verdict'])
      if (typeof number !== 'number' || typeof version !== 'number' || typeof at !== 'number') return []
      if (verdict === undefined) return []
      return [[author, { number, verdict, version, at, result: typeof result === 'number' ? result : undefined }]]
    }),
  )
