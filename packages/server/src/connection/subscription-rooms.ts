// Rooms of Socket.IO that serve as lists of subscribers. No key, channel or room of an application can have a `$`
// (S19), so these can't meet a room of the application's own.

const KEY = '$key:'

/** The room of those who watch a key. */
export const keyRoom = (key: string): string => `${KEY}${key}`

/** The key of a room, or `undefined` for other rooms. */
export const keyOfRoom = (room: string): string | undefined => (room.startsWith(KEY) ? room.slice(KEY.length) : undefined)

const PREFIX = '$prefix:'

/** The room of those who watch all that is below a prefix (`todos:`). */
export const prefixRoom = (prefix: string): string => `${PREFIX}${prefix}`

/** The prefix of a room, or `undefined` for other rooms. */
export const prefixOfRoom = (room: string): string | undefined => (room.startsWith(PREFIX) ? room.slice(PREFIX.length) : undefined)

const CHANNEL = '$channel:'

/** The room of those who subscribed exactly this channel or pattern. */
export const channelRoom = (pattern: string): string => `${CHANNEL}${pattern}`

/** The channel or pattern of a room, or `undefined` for other rooms. */
export const channelOfRoom = (room: string): string | undefined => (room.startsWith(CHANNEL) ? room.slice(CHANNEL.length) : undefined)
