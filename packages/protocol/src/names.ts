import { MAX_NAME_BYTES } from './limits.ts'
import { RealtimeError, type ErrorCode } from './realtime-error.ts'

// Keys, channels and rooms are built from the same alphabet. What each refuses beyond it stands here, once, so that
// a name that one layer accepts can never mean something else to another (S19, E3, R3).

const FORBIDDEN = /[\p{Cs}\p{Cc}${}*?/\\]/u
/** Empty, `.` or `..`, which storage drivers would normalise away or take for folders. */
const BAD_SEGMENT = /(^|:)\.{0,2}(:|$)/
const encoder = new TextEncoder()

/** What is wrong with a name of `:`-separated segments, or `undefined`. */
function flawOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'must be a string'
  // A UTF-16 unit takes at least one byte, so long names are refused before they are encoded.
  if (name.length > MAX_NAME_BYTES || encoder.encode(name).length > MAX_NAME_BYTES) return `must be at most ${MAX_NAME_BYTES} bytes`
  if (FORBIDDEN.test(name)) return 'must be well-formed Unicode without $ { } * ? / \\ and control characters'
  return BAD_SEGMENT.test(name) ? 'must not have a segment that is empty, . or ..' : undefined
}

function accept(code: ErrorCode, what: string, name: unknown, checked: unknown = name): string {
  const flaw = flawOf(checked)
  if (flaw === undefined && typeof name === 'string') return name
  throw new RealtimeError(code, { message: `The ${what} ${flaw ?? 'must be a string'}.` })
}

/** The key itself, or throws `INVALID_KEY` (S19): 1 to 256 UTF-8 bytes, equal to its own normalised form in unstorage. */
export const parseKey = (key: unknown): string => accept('INVALID_KEY', 'key', key)

/** Tells whether `parseKey` would accept it. */
export const isKey = (key: unknown): key is string => flawOf(key) === undefined

/** The prefix itself, or throws `INVALID_KEY`: a key followed by `:` (S17). */
export const parsePrefix = (prefix: unknown): string =>
  accept('INVALID_KEY', 'prefix', prefix, typeof prefix === 'string' && prefix.endsWith(':') ? prefix.slice(0, -1) : '')

/** The channel itself, or throws `INVALID_CHANNEL`: where an event is published; never a pattern (E3). */
export const parseChannel = (channel: unknown): string => accept('INVALID_CHANNEL', 'channel', channel)

/** The channel or pattern itself, or throws `INVALID_CHANNEL`: what can be subscribed: `chat:room1`, `chat:*` or `*` (E3). */
export function parsePattern(pattern: unknown): string {
  if (pattern === '*') return pattern
  return accept('INVALID_CHANNEL', 'channel or pattern', pattern, isPattern(pattern) ? pattern.slice(0, -2) : pattern)
}

/** The room name itself, or throws `INVALID_ROOM`. Names are compared whole, so `proj` and `proj:1` are two rooms (R3). */
export const parseRoom = (room: unknown): string => accept('INVALID_ROOM', 'room name', room)

/** Tells a pattern (`chat:*`, `*`) from a channel. */
export const isPattern = (name: unknown): name is string => typeof name === 'string' && (name === '*' || name.endsWith(':*'))
