import type { JsonValue } from './json.ts'
import type { Entry } from './entry.ts'

/**
 * Every error code, once, with what the user reads where the place that failed has nothing better to say. Codes that one
 * place raises are explained there, and have nothing here: this table is part of every client.
 */
export const ERROR_CODES = {
  UNAUTHENTICATED: '',
  FORBIDDEN: '',
  RATE_LIMITED: '',
  UNAVAILABLE: 'The store or relay is away. The change was not made; try again later.',
  OUTCOME_UNKNOWN: 'The answer was lost. The change may have been made: read the entry.',
  CONFLICT: '',
  NOT_A_NUMBER: '',
  STALE_MUTATION: '',
  RELAY_FAILED: '',
  INVALID_MESSAGE: '',
  INVALID_KEY: '',
  INVALID_CHANNEL: '',
  INVALID_ROOM: '',
  INVALID_VALUE: 'The value is not JSON, or nested too deeply.',
  INVALID_OPTIONS: '',
  WRONG_TYPE: '',
  TOO_LARGE: 'The message is too large.',
  TOO_MANY_SUBSCRIPTIONS: '',
  OVERFLOW: 'Too many changes wait.',
  UNSUPPORTED: '',
  PROTOCOL: 'The protocol versions differ.',
  SLOW_CONSUMER: '',
  CLOSED: 'It is closed.',
  INTERNAL: 'Something went wrong on the server.',
} as const

/** The name of what went wrong. */
export type ErrorCode = keyof typeof ERROR_CODES

/** Tells whether the same request, sent again unchanged, may succeed and does no harm. */
export const isRetryable = (code: ErrorCode): boolean => code === 'UNAVAILABLE' || code === 'RATE_LIMITED'

/** An error as it travels (X7): never a stack, never a cause. */
export interface WireError {
  code: ErrorCode
  message: string
  retryable: boolean
  /** Wait this long before the next try, milliseconds. */
  retryAfterMs?: number
  /** With `CONFLICT`: the entry as it is now. */
  entry?: Entry
  /** What exactly is wrong, e.g. by path, with `INVALID_MESSAGE` and `INVALID_VALUE`. */
  issues?: JsonValue[]
}

/** What an error may carry beside its code. */
export interface RealtimeErrorOptions {
  message?: string
  /** Default: what `isRetryable` says of the code. */
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
    super((options.message ?? ERROR_CODES[code]) || code, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? isRetryable(code)
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
