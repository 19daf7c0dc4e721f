import type { ErrorCode } from './error-codes.ts'
import { BAD_SEGMENT, FORBIDDEN_CHARACTERS, isPattern, isShort } from './grammar.ts'
import { MAX_NAME_BYTES } from './limits.ts'
import { RealtimeError } from './realtime-error.ts'

/** Characters of a name that a message shows. */
const MAX_SHOWN = 64

/** The reason why a name of `:`-separated segments is invalid, or `undefined` if it is valid. */
function flawOf(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'must be a string'
  if (!isShort(name)) return `must be at most ${MAX_NAME_BYTES} bytes`
  if (FORBIDDEN_CHARACTERS.test(name)) return 'must be well-formed Unicode without $ { } * ? / \\ and control characters'
  return BAD_SEGMENT.test(name) ? 'must not have a segment that is empty, . or ..' : undefined
}

function accept(code: ErrorCode, what: string, name: unknown, checked: unknown = name): string {
  const flaw = flawOf(checked)
  if (flaw === undefined && typeof name === 'string') return name
  const shown = typeof name === 'string' ? ` ${JSON.stringify(name.slice(0, MAX_SHOWN))}` : ''
  throw new RealtimeError(code, { message: `Invalid ${what}${shown}: it ${flaw ?? 'must be a string'}.` })
}

/**
 * The key itself: 1 to 256 UTF-8 bytes, equal to its own normalised form in unstorage.
 *
 * @throws {RealtimeError} `INVALID_KEY`.
 */
export const parseKey = (key: unknown): string => accept('INVALID_KEY', 'key', key)

/**
 * The prefix itself: a key followed by `:`.
 *
 * @throws {RealtimeError} `INVALID_KEY`.
 */
export const parsePrefix = (prefix: unknown): string =>
  accept('INVALID_KEY', 'prefix', prefix, typeof prefix === 'string' && prefix.endsWith(':') ? prefix.slice(0, -1) : '')

/**
 * The channel itself: the target of a publish, never a pattern.
 *
 * @throws {RealtimeError} `INVALID_CHANNEL`.
 */
export const parseChannel = (channel: unknown): string => accept('INVALID_CHANNEL', 'channel', channel)

/**
 * The channel or pattern itself: the target of a subscription, `chat:room1`, `chat:*` or `*`.
 *
 * @throws {RealtimeError} `INVALID_CHANNEL`.
 */
export function parsePattern(pattern: unknown): string {
  if (pattern === '*') return pattern
  return accept('INVALID_CHANNEL', 'channel or pattern', pattern, isPattern(pattern) ? pattern.slice(0, -2) : pattern)
}

/**
 * The room name itself. Names are compared whole, so `proj` and `proj:1` are two rooms.
 *
 * @throws {RealtimeError} `INVALID_ROOM`.
 */
export const parseRoom = (room: unknown): string => accept('INVALID_ROOM', 'room name', room)

/** The name of a message of server code, `notice` or `chat:new`, or throws `INVALID_VALUE`. */
export const parseMessageName = (name: unknown): string => accept('INVALID_VALUE', 'message name', name)

/** The id of a document itself, or throws `INVALID_DOCUMENT`. */
export const parseDocument = (document: unknown): string => accept('INVALID_DOCUMENT', 'document id', document)
