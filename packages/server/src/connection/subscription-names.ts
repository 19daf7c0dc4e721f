// Names of what a connection is subscribed to. Most are rooms: lists of subscribers. No key, channel or room of an application can
// have a `$` (S19), so these can't meet a name of the application's own. The name of a key is the key itself, which saves a text for
// each key of each connection; its subscribers are in its `KeySubscription`.

/** The key of a name, or `undefined` for other names. */
export const subscribedKey = (name: string): string | undefined => (name.startsWith('$') ? undefined : name)

const PREFIX = '$prefix:'

/** The room of the subscribers of a prefix (`todos:`). */
export const prefixRoom = (prefix: string): string => `${PREFIX}${prefix}`

/** The prefix of a room, or `undefined` for other rooms. */
export const prefixOfRoom = (room: string): string | undefined => (room.startsWith(PREFIX) ? room.slice(PREFIX.length) : undefined)

const CHANNEL = '$channel:'

/** The room of the subscribers of exactly this channel or pattern. */
export const channelRoom = (pattern: string): string => `${CHANNEL}${pattern}`

/** The channel or pattern of a room, or `undefined` for other rooms. */
export const channelOfRoom = (room: string): string | undefined => {
  const prefix = [CHANNEL, LOG].find((start) => room.startsWith(start))
  return prefix === undefined ? undefined : room.slice(prefix.length)
}

const LOG = '$log:'

/** The room of the subscribers of exactly this durable channel that continue where they were. */
export const logRoom = (channel: string): string => `${LOG}${channel}`

/** Both rooms of subscribers of exactly this channel. */
export const channelRooms = (channel: string): readonly string[] => [channelRoom(channel), logRoom(channel)]

const PRESENCE = '$presence:'

/** The room of connections that receive the members of a room of the application. */
export const presenceRoom = (room: string): string => `${PRESENCE}${room}`

const COUNT = '$count:'

/** The room of connections that receive the number of members only. */
export const countRoom = (room: string): string => `${COUNT}${room}`

/** The room of the application whose members, or their number, are subscribed to, or `undefined` for other rooms. */
export const observedRoom = (room: string): string | undefined => {
  const prefix = [PRESENCE, COUNT].find((start) => room.startsWith(start))
  return prefix === undefined ? undefined : room.slice(prefix.length)
}

const HELD = '$held:'

/** The name of a lock, or of a request for it, among the subscriptions of a connection. */
export const heldLock = (key: string): string => `${HELD}${key}`

/** The key of such a name, or `undefined` for other names. */
export const keyOfHeldLock = (name: string): string | undefined => (name.startsWith(HELD) ? name.slice(HELD.length) : undefined)

const LOCK = '$lock:'

/** The room of connections that follow a lock, or all below a prefix, which ends with a `:`. */
export const watchedLock = (target: { readonly key: string } | { readonly prefix: string }): string =>
  `${LOCK}${'key' in target ? target.key : target.prefix}`

/** What such a room follows, or `undefined` for other rooms. */
export const watchedLockOf = (room: string): { key: string } | { prefix: string } | undefined => {
  if (!room.startsWith(LOCK)) return undefined
  const name = room.slice(LOCK.length)
  return name.endsWith(':') ? { prefix: name } : { key: name }
}

const MEMBER = '$member:'

/** The name of a membership among the subscriptions of a connection. */
export const membershipRoom = (room: string): string => `${MEMBER}${room}`

/** The room of the application of a membership, or `undefined` for other names. */
export const roomOfMembership = (name: string): string | undefined => (name.startsWith(MEMBER) ? name.slice(MEMBER.length) : undefined)

const APPLICATION = '$room:'

/** The room of the connections that are in a room of the application. */
export const applicationRoom = (room: string): string => `${APPLICATION}${room}`

/** The room of the application of a room, or `undefined` for other rooms. */
export const roomOfApplication = (name: string): string | undefined =>
  name.startsWith(APPLICATION) ? name.slice(APPLICATION.length) : undefined

/** The room of the connections of a user. */
export const userRoom = (user: string): string => `$user:${user}`
