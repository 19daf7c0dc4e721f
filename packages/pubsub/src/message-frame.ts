import { RealtimeError } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'

// Every message is the text of one JSON object whose first property is `origin`: `{"origin":"<uuid>",…}`. The sender is read
// from the first bytes, so the instance drops its own messages without parsing them (N2).

const OPENING = '{"origin":"'
const UUID_LENGTH = 36

/** The text of a message, `origin` first; a property of that name in the message is overwritten. Throws `INVALID_MESSAGE`. */
export function frameMessage(instanceId: string, message: unknown): string {
  const body = toObjectText(message)
  return `${OPENING}${instanceId}"${body === '{}' ? '}' : `,${body.slice(1)}`}`
}

/**
 * The channel itself, or throws `INVALID_CHANNEL` for half a surrogate pair: Redis stores names as UTF-8, which replaces all of
 * these by one character, so that different channels would become one.
 */
export function parseChannelName(channel: string): string {
  if (channel.isWellFormed()) return channel
  throw new RealtimeError('INVALID_CHANNEL', { message: `Invalid channel ${JSON.stringify(channel)}: it contains half a surrogate pair.` })
}

/** The sender of a text: this instance, another one, or `undefined` if the text is not a JSON object. */
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
  if (!isPlainObject(message))
    throw new RealtimeError('INVALID_MESSAGE', { message: 'Invalid message: publish() requires a plain object without toJSON().' })
  try {
    // Otherwise the message's own `origin` would follow the added one, and JSON.parse uses the last property of a name.
    return JSON.stringify({ ...message, origin: undefined })
  } catch (cause) {
    throw new RealtimeError('INVALID_MESSAGE', { message: 'Invalid message: JSON.stringify() failed, see `cause`.', cause })
  }
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (!isJsonObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  // With a `toJSON` it could serialize to anything, including another `origin`.
  return (prototype === Object.prototype || prototype === null) && typeof value['toJSON'] !== 'function'
}
