import { RealtimeError, type JsonValue } from '@tutti/protocol'
import { saysExactly } from './exact-json.ts'

// Values are stored as text. What clients store is JSON; unstorage stores what its user gave as text, and other programs
// store what they like (S20). This file says what a stored text means, once.

/** The value of a JSON text; throws `SyntaxError`. (JSON.parse makes nothing but JSON values, so the cast says no more than it does.) */
export const parseJson = (text: string): JsonValue => JSON.parse(text) as JsonValue

/** The value that a stored text stands for: that of its JSON where it says exactly the same, else the text itself (S20). */
export function valueOfText(text: string): JsonValue {
  try {
    const value = parseJson(text)
    return saysExactly(value, text) ? value : text
  } catch {
    return text
  }
}

/** The value of a stored text as JSON: the text itself where it is JSON. */
export function jsonOfText(text: string): string {
  return valueOfText(text) === text ? JSON.stringify(text) : text
}

/** The text itself, or throws `INVALID_VALUE` for half a surrogate pair, which no UTF-8 can store. */
export function parseText(text: string): string {
  if (text.isWellFormed()) return text
  throw new RealtimeError('INVALID_VALUE', {
    message: 'The text has half a surrogate pair, which cannot be stored. Write it as JSON, or use `toWellFormed()`.',
  })
}

/** UTF-8 bytes of a text. */
export const bytesOf = (text: string): number => Buffer.byteLength(text)
