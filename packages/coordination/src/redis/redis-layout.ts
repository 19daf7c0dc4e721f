import type { RedisLink } from '@tutti/pubsub/redis'

/** The names of all that the coordination keeps in Redis. Clients cannot name anything with `$` (X3). */
export interface RedisLayout {
  /** Keys of the leases of all instances: live ones, ended ones, and the mark that none may end. */
  readonly leases: readonly [leases: string, ended: string, quiet: string]
  /** The channel of commands to all instances, as the link takes it. */
  readonly commands: string
  /** The same channel as Redis names it. */
  readonly redisCommands: string
  /** The channel of replies to the commands of one instance, as the link takes it. */
  replies(instanceId: string): string
  /** What a lease holds: `room <name>`, … */
  holds(lease: string): string
  /** Members of a room, its version, and the members that are counted only. */
  room(room: string): readonly [members: string, version: string, counted: string]
  /** The channel on which changes of a room are announced, as the link takes it. */
  channel(room: string): string
  /** The same channel as Redis names it. */
  redisChannel(room: string): string
  /** Record and waiting requests of a lock, in the hash slot of the value of its key. */
  lock(key: string): readonly [record: string, waiting: string]
  /** The channel on which locks of a topic are announced, as the link takes it, and as Redis names it. */
  lockChannel(topic: string): string
  lockRedisChannel(topic: string): string
  /** The names of all locks. */
  readonly lockIndex: string
  /** Where names were added to the index before their locks. */
  readonly lockClaims: string
  /** Whether the index and the locks are on different nodes. */
  readonly hasRemoteLocks: boolean
}

/** The base of the values whose locks these are. */
const DEFAULT_BASE = 'tutti'

/** Makes the names below the link's prefix. Throws `INVALID_OPTIONS` for a prefix whose braces are no hash tag. */
export function redisLayout(
  { prefix, companionKey, isCluster }: Pick<RedisLink, 'prefix' | 'companionKey' | 'isCluster'>,
  base = DEFAULT_BASE,
): RedisLayout {
  const lockIndex = `${base}$locks`
  const ofAll = (name: string): string => companionKey(`${prefix}$instances`, 'all', name)
  return {
    leases: [ofAll('leases'), ofAll('ended'), ofAll('quiet')],
    commands: '$rooms',
    redisCommands: `${prefix}:$rooms`,
    replies: (instanceId) => `$replies:${instanceId}`,
    holds: (lease) => companionKey(`${prefix}$instance`, lease, 'holds'),
    room: (room) => {
      const ofRoom = (name: string): string => companionKey(`${prefix}$room`, room, name)
      return [ofRoom('members'), ofRoom('version'), ofRoom('counted')]
    },
    channel: (room) => `$room:${room}`,
    redisChannel: (room) => `${prefix}:$room:${room}`,
    lock: (key) => [companionKey(base, key, 'lock'), companionKey(base, key, 'waiting')],
    lockChannel: (topic) => `$locks:${topic}`,
    lockRedisChannel: (topic) => `${prefix}:$locks:${topic}`,
    lockIndex,
    lockClaims: `{${lockIndex}}$claims`,
    hasRemoteLocks: isCluster && !base.includes('{'),
  }
}
