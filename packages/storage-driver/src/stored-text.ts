import { RealtimeError, type JsonValue } from '@tutti/protocol'
import { isExact } from './exact-json.ts'

// Values are stored as text. Values of clients are JSON; unstorage stores the text that its caller passed, and other programs
// store any text (S20). The meaning of a stored text is defined only here.

/** The value of a JSON text; throws `SyntaxError`. (JSON.parse returns only JSON values, so the cast is safe.) */
export const parseJson = (text: string): JsonValue => JSON.parse(text) as JsonValue

/** The value of a stored text: the parsed JSON if it represents the text exactly, else the text itself (S20). */
export function valueOfText(text: string): JsonValue {
  try {
    const value = parseJson(text)
    return isExact(value, text) ? value : text
  } catch {
    return text
  }
}

/** The value of a stored text as JSON: the text itself if it is JSON. */
export function jsonOfText(text: string): string {
  return valueOfText(text) === text ? JSON.stringify(text) : text
}

/** The text itself, or throws `INVALID_VALUE` for half a surrogate pair, which UTF-8 cannot store. */
export function parseText(text: string): string {
  if (text.isWellFormed()) return text
  throw new RealtimeError('INVALID_VALUE', {
    message: 'Invalid text: it contains half a surrogate pair. Use toWellFormed(), or store it as JSON.',
  })
}
