/** Maximum UTF-8 bytes of the name of a room that has keys and channels of its own. The rest of 256 bytes is for the key. */
export const MAX_ROOM_BYTES = 128

const ROOM_KEY = /^room:([1-9]\d*):(.+)$/s

/**
 * The prefix of the keys, channels and locks of a room: `room:<number of segments of the name>:<name>:`. Because of the number, `1:x` in `proj`
 * and `x` in `proj:1` are different names.
 */
export const roomPrefix = (room: string): string => `room:${room.split(':').length}:${room}:`

/** A key, channel or pattern of a room: `roomKey('proj', 'title')` is `room:1:proj:title`. */
export const roomKey = (room: string, key: string): string => `${roomPrefix(room)}${key}`

/** The room of a name, and the name within it; `undefined` for names that belong to no room. */
export function splitRoomKey(name: string): { room: string; key: string } | undefined {
  const [, count, rest = ''] = ROOM_KEY.exec(name) ?? []
  if (count === undefined) return undefined
  const segments = rest.split(':')
  const room = segments.slice(0, Number(count)).join(':')
  const key = rest.slice(room.length + 1)
  return key === '' ? undefined : { room, key }
}
