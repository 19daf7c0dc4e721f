import { RealtimeError, isJsonObject } from '@tutti/protocol'

// Every message is the text of one JSON object whose first property is `origin`: `{"origin":"<uuid>",…}`. So its sender
// is read from the first bytes, and one's own messages are dropped without being parsed (N2).

const OPENING = '{"origin":"'
const UUID_LENGTH = 36

/** The text of a message, `origin` first; a property of that name in the message is overwritten. Throws `INVALID_MESSAGE`. */
export function frameMessage(instanceId: string, message: unknown): string {
  const body = toObjectText(message)
  return `${OPENING}${instanceId}"${body === '{}' ? '}' : `,${body.slice(1)}`}`
}

/**
 * The channel itself, or throws `INVALID_CHANNEL` for half a surrogate pair: Redis stores names as UTF-8, in which all of
 * these are one character, and two channels would be one.
 */
export function parseChannelName(channel: string): string {
  if (channel.isWellFormed()) return channel
  throw new RealtimeError('INVALID_CHANNEL', { message: 'The channel must be well-formed Unicode: it has half a surrogate pair.' })
}

/** What a text is to this instance: its own message, another's, or `undefined` when it is no JSON object. */
export function senderOf(text: string, instanceId: string): 'self' | 'other' | undefined {
  const end = OPENING.length + UUID_LENGTH
  if (text.startsWith(OPENING) && text[end] === '"') return text.startsWith(instanceId, OPENING.length) ? 'self' : 'other'
  try {
    const message: unknown = JSON.parse(text)
    if (!isJsonObject(message)) return undefined
    return message['origin'] === instanceId ? 'self' : 'other'
  } catch {
    return undefined
  }
}

function toObjectText(message: unknown): string {
  if (!isPlainObject(message)) throw new RealtimeError('INVALID_MESSAGE', { message: 'A message must be a plain object.' })
  try {
    // Its own `origin` would stand after ours, and JSON.parse takes the last of a name.
    return JSON.stringify({ ...message, origin: undefined })
  } catch (cause) {
    throw new RealtimeError('INVALID_MESSAGE', { message: 'A message must be JSON.', cause })
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (!isJsonObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // With a `toJSON` it could become anything, an `origin` of its own included.
  return (prototype === Object.prototype || prototype === null) && typeof value['toJSON'] !== 'function'
}
