import { RealtimeError } from '@tutti/protocol'
import {
  callback,
  INLINE_VALUE_MAX_BYTES,
  isSubscribable,
  parseOptions,
  required,
  safeErrorListener,
  TOMBSTONE_MS,
  wholeNumber,
  type OptionRows,
} from '@tutti/protocol/internal'

/** Where a background failure happened. */
export interface LogErrorContext {
  /** `message`: a notification was dropped; `listener`: a listener threw; `worker`: the records of a log were not taken. */
  stage: 'message' | 'listener' | 'worker'
  /** The log. */
  subject?: string | undefined
}

/** Bounds of the logs of one pattern. They have the same values on all instances. */
export interface LogLimits {
  /** Records of one log. @default 5000 */
  maxRecords?: number | undefined
  /** Older records are removed, milliseconds. @default 86400000 */
  maxAgeMs?: number | undefined
  /** Records that a group may be behind; then appends are refused with `BACKLOG_FULL`. At least `maxRecords`. @default 100000 */
  maxBacklog?: number | undefined
  /** Names of the groups of workers: letters, digits, `_` and `-`. What they have not processed is not removed. @default none */
  groups?: readonly string[] | undefined
}

/** Options of every implementation of `Logs`. */
export interface LogOptions extends LogLimits {
  /** The channels that have a log: `chat:*`, or one channel. */
  pattern: string
  /** How long an empty log keeps its last offset, milliseconds. @default 86400000 */
  tombstoneMs?: number | undefined
  /** Longer data is not part of the notification, UTF-8 bytes. @default 8192 */
  inlineValueMaxBytes?: number | undefined
  /** Receives failures that no caller awaits. @default console.error */
  onError?: ((error: unknown, context: LogErrorContext) => void) | undefined
}

const NO_GROUPS: readonly string[] = []
const isGroup = (name: unknown): boolean => typeof name === 'string' && /^[\w-]{1,64}$/.test(name)
const DEFAULT_MAX_BACKLOG = 100_000

/** The rows of `LogLimits`. */
const LOG_LIMITS = {
  maxRecords: wholeNumber(1, 5_000, 10_000_000),
  maxAgeMs: wholeNumber(1, 86_400_000),
  maxBacklog: wholeNumber(1, undefined, 10_000_000),
  groups: ['a list of names of letters, digits, _ and -', (value) => Array.isArray(value) && value.every(isGroup), NO_GROUPS],
} satisfies OptionRows<LogLimits>

/** The rows of `LogOptions`. */
const LOG_OPTIONS = {
  ...LOG_LIMITS,
  pattern: required(['a channel or a pattern', isSubscribable, undefined]),
  tombstoneMs: wholeNumber(1, TOMBSTONE_MS),
  inlineValueMaxBytes: wholeNumber(0, INLINE_VALUE_MAX_BYTES),
  onError: callback(undefined),
} satisfies OptionRows<LogOptions>

/** The options with every default filled in. `onError` never throws. */
export type LogSettings = Required<{ [Name in keyof LogOptions]: Exclude<LogOptions[Name], undefined> }>

/** Options of the function `owner`. Throws `INVALID_OPTIONS`. */
export function parseLogOptions(owner: string, { ...options }: LogOptions): LogSettings {
  const settings = parseOptions(owner, LOG_OPTIONS, options)
  const { maxRecords, maxBacklog = Math.max(DEFAULT_MAX_BACKLOG, maxRecords) } = settings
  if (maxBacklog < maxRecords) {
    throw new RealtimeError('INVALID_OPTIONS', { message: `${owner}: maxBacklog must be at least maxRecords (${maxRecords}).` })
  }
  return { ...settings, maxBacklog, onError: safeErrorListener(settings.onError) }
}
