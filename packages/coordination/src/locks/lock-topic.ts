import { RealtimeError } from '@tutti/protocol'

/**
 * The part of a key by which changes of locks are announced: its first segment, or the room that it belongs to
 * (`room:<number of segments>:<name>`). Of a prefix it is the same part; throws `INVALID_KEY` for a prefix without it.
 */
export function lockTopic(name: string): string {
  const segments = name.split(':')
  const [first = '', count = ''] = segments
  const length = first === 'room' && /^[1-9]\d?$/.test(count) ? 2 + Number(count) : 1
  // A prefix ends with an empty segment.
  if (segments.length > length || !name.endsWith(':')) return segments.slice(0, length).join(':')
  throw new RealtimeError('INVALID_KEY', { message: `Invalid prefix of locks ${JSON.stringify(name)}: it must name a whole room.` })
}
