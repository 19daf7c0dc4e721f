import { isJsonObject, parseOptions, wholeNumber, type OptionRow, type OptionRows, type Settings } from '@tutti/protocol/internal'

/** How rooms behave. */
export interface RoomsOptions {
  /**
   * How long a call of `realtime.rooms` waits for the other instances, milliseconds. An instance that receives a message later than this
   * does not deliver it.
   *
   * @default 2000
   */
  timeoutMs?: number | undefined
  /** Connections or rooms in one result. @default 1000 */
  maxResults?: number | undefined
}

/** The accepted values of each option. */
export const ROOMS_ROWS = { timeoutMs: wholeNumber(1, 2_000), maxResults: wholeNumber(1, 1_000) } satisfies OptionRows<RoomsOptions>

/** The options with their defaults. */
export type RoomsSettings = Settings<RoomsOptions, typeof ROOMS_ROWS>

const DEFAULTS: RoomsOptions | false = {}

/** The row of the option `rooms`. */
export const ROOMS: OptionRow<RoomsOptions | false> = [
  'an object with options, or false',
  (value) => value === false || isJsonObject(value),
  DEFAULTS,
]

/** Options of rooms. Throws `INVALID_OPTIONS`. */
export const parseRoomsOptions = (options: RoomsOptions): RoomsSettings => parseOptions('rooms', ROOMS_ROWS, options)
