import { isJsonObject, oneOf, parseOptions, wholeNumber, type OptionRow, type OptionRows, type Settings } from '@tutti/protocol/internal'

/** How presence behaves. */
export interface PresenceOptions {
  /** Bytes of an info or of a cursor, as JSON. @default 2048 */
  maxInfoBytes?: number | undefined
  /**
   * Joins, updates, leaves and cursors of one user on this instance per second, those in documents included, and as many at once after
   * a pause; of one connection without a user. @default 200
   */
  updatesPerSecond?: number | undefined
  /** Observers of a room receive its changes at most once in this time, milliseconds. The same for cursors. @default 50 */
  tickMs?: number | undefined
  /** Members of a room with their info. Used if `attachRealtime` makes the `coordination`. @default 1000 */
  maxMembers?: number | undefined
  /** A join past `maxMembers` is refused with `ROOM_FULL`, or counted, and listed when a listed member leaves. Used like `maxMembers`. @default 'refuse' */
  overflow?: 'refuse' | 'count' | undefined
  /** How long a member without a connection stays, milliseconds. Used like `maxMembers`. @default 4000 */
  graceMs?: number | undefined
}

const ROWS = {
  maxInfoBytes: wholeNumber(1, 2_048),
  updatesPerSecond: wholeNumber(1, 200),
  tickMs: wholeNumber(1, 50),
  maxMembers: wholeNumber(1, 1_000),
  overflow: oneOf(['refuse', 'count'], 'refuse'),
  graceMs: wholeNumber(1, 4_000),
} satisfies OptionRows<PresenceOptions>

/** The options with their defaults. */
export type PresenceSettings = Settings<PresenceOptions, typeof ROWS>

const DEFAULTS: PresenceOptions | false = {}

/** The row of the option `presence`. */
export const PRESENCE: OptionRow<PresenceOptions | false> = [
  'an object with options, or false',
  (value) => value === false || isJsonObject(value),
  DEFAULTS,
]

/** Options of presence. Throws `INVALID_OPTIONS`. */
export const parsePresenceOptions = (options: PresenceOptions): PresenceSettings => parseOptions('presence', ROWS, options)
