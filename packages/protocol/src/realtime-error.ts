import type { JsonValue } from './json.ts'
import type { Entry } from './entry.ts'

/**
 * Every error code, once. `retryable`: the same request, sent again unchanged, may succeed and does no harm.
 * The message is what the user reads when the place that failed has nothing better to say.
 */
export const ERROR_CODES = {
  UNAVAILABLE: { retryable: true, message: 'The store or relay is away. The change was not made; try again later.' },
  OUTCOME_UNKNOWN: {
    retryable: false,
    message: 'The answer was lost: the change may or may not have been made. Read the entry to find out.',
  },
  CONFLICT: { retryable: false, message: 'Somebody else changed the entry. Read `entry` and decide again.' },
  NOT_A_NUMBER: {
    retryable: false,
    message: 'Only numbers can be incremented, within the safe integers and finite numbers. The value stays.',
  },
  STALE_MUTATION: { retryable: false, message: 'A later mutation of this client on this key was already handled.' },
  RELAY_FAILED: { retryable: false, message: 'The event reached this instance only: the relay to the others failed.' },
  INVALID_MESSAGE: { retryable: false, message: 'The message has not the shape that the protocol asks for.' },
  INVALID_KEY: { retryable: false, message: 'The key breaks the grammar of keys.' },
  INVALID_CHANNEL: { retryable: false, message: 'The channel or pattern breaks the grammar of channels.' },
  INVALID_ROOM: { retryable: false, message: 'The room name breaks the grammar of names.' },
  INVALID_VALUE: { retryable: false, message: 'The value is not JSON, or nested too deeply.' },
  INVALID_OPTIONS: { retryable: false, message: 'An option has a value that cannot work.' },
  WRONG_TYPE: { retryable: false, message: 'Another program stores something under this key that is not a string.' },
  TOO_LARGE: { retryable: false, message: 'The message is larger than the limit.' },
  TOO_MANY_SUBSCRIPTIONS: { retryable: false, message: 'The connection has as many subscriptions as it may have.' },
  OVERFLOW: { retryable: false, message: 'Too many changes wait to be sent.' },
  UNSUPPORTED: { retryable: false, message: 'This server does not know the message.' },
  PROTOCOL: { retryable: false, message: 'This server does not speak the protocol version of the client.' },
  CLOSED: { retryable: false, message: 'It is closed.' },
  INTERNAL: { retryable: false, message: 'Something went wrong on the server.' },
} as const satisfies Record<string, { retryable: boolean; message: string }>

/** The name of what went wrong. */
export type ErrorCode = keyof typeof ERROR_CODES

/** An error as it travels (X7): never a stack, never a cause. */
export interface WireError {
  code: ErrorCode
  message: string
  retryable: boolean
  /** Wait this long before the next try, milliseconds. */
  retryAfterMs?: number
  /** With `CONFLICT`: the entry as it is now. */
  entry?: Entry
  /** What exactly is wrong, e.g. by path, with `INVALID_MESSAGE`. */
  issues?: JsonValue[]
}

/** What an error may carry beside its code. */
export interface RealtimeErrorOptions {
  message?: string
  /** Default: what the table says of the code. */
  retryable?: boolean
  cause?: unknown
  retryAfterMs?: number | undefined
  entry?: Entry | undefined
  issues?: JsonValue[] | undefined
}

/** The one error class of Tutti. `code` says what happened, `retryable` whether trying again makes sense. */
export class RealtimeError extends Error {
  override readonly name = 'RealtimeError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly entry: Entry | undefined
  readonly issues: JsonValue[] | undefined

  constructor(code: ErrorCode, options: RealtimeErrorOptions = {}) {
    super(options.message ?? ERROR_CODES[code].message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? ERROR_CODES[code].retryable
    this.retryAfterMs = options.retryAfterMs
    this.entry = options.entry
    this.issues = options.issues
  }
}

/** What goes on the wire for an error; anything that is no `RealtimeError` becomes a plain `INTERNAL` (X7). */
export function toWireError(error: unknown): WireError {
  const known = error instanceof RealtimeError ? error : new RealtimeError('INTERNAL')
  return {
    code: known.code,
    message: known.message,
    retryable: known.retryable,
    ...(known.retryAfterMs === undefined ? {} : { retryAfterMs: known.retryAfterMs }),
    ...(known.entry === undefined ? {} : { entry: known.entry }),
    ...(known.issues === undefined ? {} : { issues: known.issues }),
  }
}

/**
 * The error that a reply or a refused handshake carried, as one that can be thrown. A code of a newer server becomes
 * `INTERNAL`, with that server's word on whether trying again makes sense; so does what is no error at all.
 */
export function fromWireError(error: unknown): RealtimeError {
  const { code, message, retryable, ...extras }: Partial<WireError> = typeof error === 'object' && error !== null ? error : {}
  return new RealtimeError(typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? code : 'INTERNAL', {
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof retryable === 'boolean' ? { retryable } : {}),
    ...extras,
  })
}
