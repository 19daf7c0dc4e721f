import type { JsonValue } from '@tutti/protocol'

// Values are stored as text. What clients store is JSON; unstorage stores what its user gave as text, and other programs
// store what they like (S20). This file says what a stored text means, once.

/** The value of a JSON text; throws `SyntaxError`. (JSON.parse makes nothing but JSON values, so the cast says no more than it does.) */
export const parseJson = (text: string): JsonValue => JSON.parse(text) as JsonValue

/** The value that a stored text stands for: that of its JSON, or the text itself (S20). */
export function valueOfText(text: string): JsonValue {
  try {
    const value = parseJson(text)
    // `1e999` parses as infinity, which JSON could not say again.
    return typeof value === 'number' && !Number.isFinite(value) ? text : value
  } catch {
    return text
  }
}

/** The value of a stored text as JSON: the text itself where it is JSON. */
export function jsonOfText(text: string): string {
  return valueOfText(text) === text ? JSON.stringify(text) : text
}

/** UTF-8 bytes of a text. */
export const bytesOf = (text: string): number => Buffer.byteLength(text)
