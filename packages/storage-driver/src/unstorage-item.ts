import type { JsonValue } from '@tutti/protocol'
import { valueOfText } from './stored-text.ts'

// unstorage guesses the value of an item from its text by its own rules (destr): it parses `1.10`, `NaN` and ` TRUE ` as
// values, keeps long numbers as text, and drops `__proto__`. So if its guess could differ from the value that clients see, it
// receives a value instead of a text.

/** Texts that unstorage would parse as JSON or as a word of JavaScript. */
const GUESSED = /^\s*(?:["[{]|-?\d)|^\s*(?:true|false|null|undefined|nan|-?infinity)\s*$/i

/** The longest number that unstorage recognizes. */
const MAX_NUMBER_LENGTH = 16

/** The result of a driver's `getItem` for a stored text, so that unstorage returns the value that clients see. */
export function itemOfText(text: string): string | JsonValue {
  const value = valueOfText(text)
  if (value === text) return GUESSED.test(text) ? JSON.stringify(text) : text
  if (typeof value === 'number') return text.length > MAX_NUMBER_LENGTH ? value : text
  // In any spelling: `\\u005f` is an underscore.
  if (typeof value === 'object' && value !== null && /__proto__|constructor|\\u/.test(text)) return value
  return text
}

const BYTES = 'base64:'

/** The result of `getItemRaw`: the stored text, or the bytes that were passed to `setItemRaw`. */
export const rawOfText = (text: string): string | Uint8Array =>
  text.startsWith(BYTES) ? Buffer.from(text.slice(BYTES.length), 'base64') : text
