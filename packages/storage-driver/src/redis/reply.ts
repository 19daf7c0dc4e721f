import { RealtimeError, type AbsentEntry, type Entry } from '@tutti/protocol'
import type { ScriptReply } from '@tutti/pubsub/redis'
import { valueOfText } from '../stored-text.ts'

// Parsing of Redis replies.

/** The reply as a row; throws `INTERNAL` for a reply that none of the scripts returns. */
export function rowOf(reply: ScriptReply): ScriptReply[] {
  if (Array.isArray(reply)) return reply
  throw new RealtimeError('INTERNAL', { message: 'Unexpected reply from a Redis script.' })
}

/** A bulk string as text, nil as null. */
export const textOf = (part: ScriptReply | undefined): string | null => (typeof part === 'string' ? part : null)

/** The entry of a version and a stored text. */
export function entryOf(key: string, version: number, text: string | null): Entry {
  const absent: AbsentEntry = { key, version, removed: true }
  return text === null ? absent : { key, version, value: valueOfText(text) }
}
