import type { JsonValue } from '@tutti/protocol'
import { valueOfText } from './stored-text.ts'

// unstorage guesses the value of an item from its text by rules of its own (destr): it takes `1.10`, `NaN` and ` TRUE `
// for values, leaves long numbers texts, and drops `__proto__`. So where its guess could differ from what clients are
// shown, it is given something that it cannot mistake.

/** What unstorage takes for JSON or for a word of JavaScript. */
const GUESSED = /^\s*(?:["[{]|-?\d)|^\s*(?:true|false|null|undefined|nan|-?infinity)\s*$/i

/** A number that unstorage recognises. */
const MAX_NUMBER_LENGTH = 16

/** What a driver's `getItem` returns for a stored text, so that unstorage returns the value that clients are shown. */
export function itemOfText(text: string): string | JsonValue {
  const value = valueOfText(text)
  if (value === text) return GUESSED.test(text) ? JSON.stringify(text) : text
  if (typeof value === 'number') return text.length > MAX_NUMBER_LENGTH ? value : text
  // In any spelling: `\\u005f` is an underscore.
  if (typeof value === 'object' && value !== null && /__proto__|constructor|\\u/.test(text)) return value
  return text
}

const BYTES = 'base64:'

/** What `getItemRaw` returns: the text as it is stored, or the bytes that `setItemRaw` was given. */
export const rawOfText = (text: string): string | Uint8Array =>
  text.startsWith(BYTES) ? Buffer.from(text.slice(BYTES.length), 'base64') : text
