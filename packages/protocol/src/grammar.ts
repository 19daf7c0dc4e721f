import { MAX_NAME_BYTES } from './limits.ts'

// Keys, channels and rooms share one alphabet. It is defined only here, so that all layers accept the same names (S19, E3, R3).
// This file only validates; `names.ts` gives the reason for a refusal and is not loaded by browsers.

export const FORBIDDEN_CHARACTERS = /[\p{Cs}\p{Cc}${}*?/\\]/u
/** Empty, `.` or `..`: storage drivers would remove such a segment or treat it as a folder. */
export const BAD_SEGMENT = /(^|:)\.{0,2}(:|$)/
const encoder = /* @__PURE__ */ new TextEncoder()

/** UTF-8 bytes of a text. */
export const byteLength = (text: string): number => encoder.encode(text).length

/** Whether the text is short enough. A UTF-16 unit takes one to three bytes, so few texts need to be encoded. */
export const isShort = (text: string): boolean =>
  text.length * 3 <= MAX_NAME_BYTES || (text.length <= MAX_NAME_BYTES && byteLength(text) <= MAX_NAME_BYTES)

/** Whether the value is a key, or likewise a channel or room: 1 to 256 UTF-8 bytes of `:`-separated segments. */
export const isKey = (name: unknown): name is string =>
  typeof name === 'string' && isShort(name) && !FORBIDDEN_CHARACTERS.test(name) && !BAD_SEGMENT.test(name)

/** Whether the name is a pattern (`chat:*`, `*`) and not a channel. */
export const isPattern = (name: unknown): name is string => typeof name === 'string' && (name === '*' || name.endsWith(':*'))

/** Whether the name can be subscribed to: a channel, or a pattern that covers channels. */
export const isSubscribable = (name: unknown): name is string => name === '*' || isKey(isPattern(name) ? name.slice(0, -2) : name)
