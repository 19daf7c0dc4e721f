import { MAX_NAME_BYTES } from './limits.ts'

// Keys, channels and rooms are built from the same alphabet. It stands here, once, so that a name that one layer accepts
// can never mean something else to another (S19, E3, R3). This file tells yes from no; `names.ts` says why not, which is
// more than a browser has to load.

export const FORBIDDEN_CHARACTERS = /[\p{Cs}\p{Cc}${}*?/\\]/u
/** Empty, `.` or `..`, which storage drivers would normalise away or take for folders. */
export const BAD_SEGMENT = /(^|:)\.{0,2}(:|$)/
const encoder = /* @__PURE__ */ new TextEncoder()

/** UTF-8 bytes of a text. */
export const byteLength = (text: string): number => encoder.encode(text).length

/** Tells whether the text is short enough. A UTF-16 unit takes one to three bytes, so few texts need to be encoded. */
export const isShort = (text: string): boolean =>
  text.length * 3 <= MAX_NAME_BYTES || (text.length <= MAX_NAME_BYTES && byteLength(text) <= MAX_NAME_BYTES)

/** Tells whether it is a key (S19), and a channel or room likewise: 1 to 256 UTF-8 bytes of `:`-separated segments. */
export const isKey = (name: unknown): name is string =>
  typeof name === 'string' && isShort(name) && !FORBIDDEN_CHARACTERS.test(name) && !BAD_SEGMENT.test(name)

/** Tells a pattern (`chat:*`, `*`) from a channel. */
export const isPattern = (name: unknown): name is string => typeof name === 'string' && (name === '*' || name.endsWith(':*'))

/** Tells whether it can be subscribed: a channel, or a pattern that covers channels (E3). */
export const isSubscribable = (name: unknown): name is string => name === '*' || isKey(isPattern(name) ? name.slice(0, -2) : name)
