import type { RedisLink } from '@tutti/pubsub/redis'

/** The names of all that the coordination keeps in Redis. Clients cannot name anything with `$` (X3). */
export interface RedisLayout {
  /** Keys of the leases of all instances: live ones, ended ones, and the mark that none may end. */
  readonly leases: readonly [leases: string, ended: string, quiet: string]
  /** What a lease holds: `room <name>`, … */
  holds(lease: string): string
  /** Members and version of a room. */
  room(room: string): readonly [members: string, version: string]
  /** The channel on which changes of a room are announced, as the link takes it. */
  channel(room: string): string
  /** The same channel as Redis names it. */
  redisChannel(room: string): string
}

/** Makes the names below the link's prefix. Throws `INVALID_OPTIONS` for a prefix whose braces are no hash tag. */
export function redisLayout({ prefix, companionKey }: Pick<RedisLink, 'prefix' | 'companionKey'>): RedisLayout {
  const ofAll = (name: string): string => companionKey(`${prefix}$instances`, 'all', name)
  return {
    leases: [ofAll('leases'), ofAll('ended'), ofAll('quiet')],
    holds: (lease) => companionKey(`${prefix}$instance`, lease, 'holds'),
    room: (room) => [companionKey(`${prefix}$room`, room, 'members'), companionKey(`${prefix}$room`, room, 'version')],
    channel: (room) => `$room:${room}`,
    redisChannel: (room) => `${prefix}:$room:${room}`,
  }
}
