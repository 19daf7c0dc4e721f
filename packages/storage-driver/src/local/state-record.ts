import { isJsonObject, type JsonValue } from '@tutti/protocol'
import type { MutationAuthor } from '../contract.ts'
import { parseJson } from '../stored-text.ts'

/** How the last mutation of one client on one key ended (S12). */
export interface Memory {
  number: number
  verdict: 'ok' | 'conflict' | 'number'
  version: number
  /** The sum of an increment, or the base of a patch. */
  result?: number | undefined
  /** When, milliseconds since 1970. */
  at: number
}

/**
 * What stands beside a value in any driver, under `<key>$state`. It is written before the value and names the text that
 * the value is going to be, and what it was before: so a process that died between the two is recognised, and its
 * write finished; and what another program wrote is told from that.
 */
export interface StateRecord {
  version: number
  /** The text that the value is, or is about to be; null once removed. */
  text: string | null
  /** Fingerprint of the text that stood there before. */
  before: string
  /** When the value ends by itself, milliseconds since 1970. */
  expiresAt?: number | undefined
  /** By author. */
  memories: Readonly<Record<string, Memory>>
}

/** The record of a key that was never written here. */
const noRecord: StateRecord = { version: 0, text: null, before: '', memories: {} }

const SUFFIX = '$state'

/** The driver's key of the record of a key. No key of a user has a `$` (S19). */
export const recordKey = (key: string): string => `${key}${SUFFIX}`

/** The key whose record stands under a driver's key, if one does. */
export const keyOfRecord = (name: string): string | undefined => (name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : undefined)

/** The name of an author in `memories`. */
export const authorName = ({ user, clientId }: MutationAuthor): string => `${encodeURIComponent(user)}:${encodeURIComponent(clientId)}`

/** A record as text. */
export const textOfRecord = (record: StateRecord): string => JSON.stringify(record)

/** The record that a text is, or an empty one for a text that is none: half a file, after a crash. */
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
      const { number, verdict, version, result, at } = memory
      if (typeof number !== 'number' || typeof version !== 'number' || typeof at !== 'number') return []
      if (verdict !== 'ok' && verdict !== 'conflict' && verdict !== 'number') return []
      return [[author, { number, verdict, version, at, result: typeof result === 'number' ? result : undefined }]]
    }),
  )
