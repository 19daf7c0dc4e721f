import { parsePattern, RealtimeError } from '@tutti/protocol'
import { isJsonObject, parseOptions, wholeNumber, type OptionRow, type OptionRows, type Settings } from '@tutti/protocol/internal'

/** Keys that only the holder of their lock can write. */
export interface RequiredLock {
  /** A key or pattern: `form:*`. */
  readonly pattern: string
  /**
   * Without a lock on the key, a write is refused too.
   *
   * @default false
   */
  readonly always?: boolean | undefined
}

/** How locks behave. */
export interface LockOptions {
  /**
   * Keys that clients can write only as the holder of their lock, by key or pattern, while there is one. Otherwise the write is
   * refused with `LOCKED`. Server code is exempt. Unset by default.
   */
  required?: readonly (string | RequiredLock)[] | undefined
  /**
   * Bytes of an info, as JSON.
   *
   * @default 2048
   */
  maxInfoBytes?: number | undefined
  /**
   * How long a lock lasts after its holder was disconnected, milliseconds, unless the request names a time.
   *
   * @default 10_000
   */
  ttlMs?: number | undefined
  /**
   * The longest such time that a request can name, milliseconds.
   *
   * @default 60_000
   */
  maxTtlMs?: number | undefined
}

const NONE: readonly (string | RequiredLock)[] = []

const ROWS = {
  required: ['a list of patterns', Array.isArray, NONE],
  maxInfoBytes: wholeNumber(1, 2_048),
  ttlMs: wholeNumber(1, 10_000),
  maxTtlMs: wholeNumber(1, 60_000),
} satisfies OptionRows<LockOptions>

/** The options with their defaults. */
export interface LockSettings extends Omit<Settings<LockOptions, typeof ROWS>, 'required'> {
  readonly required: readonly RequiredLock[]
}

const DEFAULTS: LockOptions | false = {}

/** A row of `required`. Throws `INVALID_OPTIONS`. */
function parseRequiredLock(row: unknown): RequiredLock {
  const { pattern, always } = typeof row === 'string' ? { pattern: row } : isJsonObject(row) ? row : {}
  try {
    return { pattern: parsePattern(pattern), always: always === true }
  } catch (cause) {
    throw new RealtimeError('INVALID_OPTIONS', {
      message: `locks: invalid pattern ${JSON.stringify(pattern)} in \`required\`: use a key, name:* or *.`,
      cause,
    })
  }
}

/** The row of the option `locks`. */
export const LOCKS: OptionRow<LockOptions | false> = [
  'an object with options, or false',
  (value) => value === false || isJsonObject(value),
  DEFAULTS,
]

/**
 * Options of locks.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 */
export function parseLockOptions(options: LockOptions): LockSettings {
  const settings = parseOptions('locks', ROWS, options)
  return { ...settings, required: settings.required.map(parseRequiredLock) }
}
