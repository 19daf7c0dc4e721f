import type { RedisLink } from '@tutti/pubsub/redis'

/** The Redis keys of one log, all in one hash slot. */
export interface LogKeys {
  readonly records: string
  /** A hash. `$`: `<epoch> <last offset> <first offset> <expiry ms or 0> <last offset of a record with an id> <groups>`. */
  readonly head: string
  /** A sorted set of the ids of records, as JSON, by offset. */
  readonly ids: string
}

/** The Redis keys of one group on one log, in the slot of the log. */
export interface GroupKeys {
  readonly records: string
  readonly head: string
  /** Offset → when its claim or its wait ends, milliseconds. */
  readonly due: string
  /** Offset → `<token or -> <failures> <deaths>`. */
  readonly claims: string
  /** Offset → its errors, as items of a JSON array. */
  readonly errors: string
  /** Offset → dead letter that is processed again. */
  readonly again: string
  readonly dead: string
}

/** Names of what the logs of one pattern use in Redis. No channel has a `$` (X3). */
export interface LogNames {
  /** The Redis channel of the notifications, below the application's prefix. */
  readonly channel: string
  /** The channels of the pattern with a log, while there are groups. */
  readonly index: string
  log(name: string): LogKeys
  /** Where the name of a log is in the key of its records: the places of its first and last character, the last one from the end. */
  readonly namePlace: { readonly start: number; readonly end: number }
  group(name: string, group: string): GroupKeys
}

/** What the records are: events of durable channels, or updates of documents. */
export type LogKind = 'event' | 'document'

/** The names for a pattern. */
export function logNames(link: RedisLink, pattern: string, kind: LogKind): LogNames {
  const keyOf = (name: string, part: string): string => link.companionKey(`${link.prefix}$log`, `${kind}:${name}`, part)
  // No name has a line break.
  const [before = '', after = ''] = keyOf('\n', 'records').split('\n', 2)
  return {
    channel: `${kind === 'event' ? '$durable' : '$document'}:${pattern}`,
    index: `${link.prefix}$channels:${pattern}`,
    log: (name) => ({ records: keyOf(name, 'records'), head: keyOf(name, 'head'), ids: keyOf(name, 'ids') }),
    namePlace: { start: before.length + 1, end: -after.length - 1 },
    group: (name, group) => ({
      records: keyOf(name, 'records'),
      head: keyOf(name, 'head'),
      due: keyOf(name, `due:${group}`),
      claims: keyOf(name, `claims:${group}`),
      errors: keyOf(name, `errors:${group}`),
      again: keyOf(name, `again:${group}`),
      dead: keyOf(name, `dead:${group}`),
    }),
  }
}
