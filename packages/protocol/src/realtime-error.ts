import type { Entry } from './entry.ts'
import type { ErrorCode } from './error-codes.ts'
import type { JsonValue } from './json.ts'

/** What the user reads where the place that failed has nothing better to say. The other codes are explained where they are raised. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  OUTCOME_UNKNOWN: 'No reply: it may have taken effect.',
  INVALID_VALUE: 'Not JSON, or of the wrong type.',
  TOO_LARGE: 'The message is too large.',
  OVERFLOW: 'More than `maxPendingChanges`.',
  PROTOCOL: 'The protocol versions differ.',
  CLOSED: 'Already closed.',
}

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
  message?: string | undefined
  /** Default: what `isRetryable` says of the code. */
  retryable?: boolean | undefined
  cause?: unknown
  retryAfterMs?: number | undefined
  entry?: Entry | undefined
  issues?: JsonValue[] | undefined
}

/** The one error class of Tutti. `code` says what happened, `retryable` whether trying again makes sense. */
export class RealtimeError extends Error {
  override readonly name = 'RealtimeError'
  declare readonly code: ErrorCode
  declare readonly retryable: boolean
  declare readonly retryAfterMs: number | undefined
  declare readonly entry: Entry | undefined
  declare readonly issues: JsonValue[] | undefined

  constructor(code: ErrorCode, options: RealtimeErrorOptions = {}) {
    const { message = MESSAGES[code] ?? code, cause, retryable = isRetryable(code), retryAfterMs, entry, issues } = options
    super(message, cause === undefined ? undefined : { cause })
    Object.assign(this, { code, retryable, retryAfterMs, entry, issues })
  }
}

/** What goes on the wire for an error; anything that is no `RealtimeError` becomes a plain `INTERNAL` (X7). */
export function toWireError(error: unknown): WireError {
  const known = error instanceof RealtimeError ? error : new RealtimeError('INTERNAL', { message: 'Something went wrong on the server.' })
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
 * The error that a reply or a refused handshake carried, as one that can be thrown. What is no error of ours becomes
 * `INTERNAL`, not retryable.
 */
export function fromWireError(error: unknown): RealtimeError {
  const { code, message, retryable, ...extras }: Partial<WireError> = typeof error === 'object' && error !== null ? error : {}
  return new RealtimeError(isErrorCode(code) ? code : 'INTERNAL', {
    ...extras,
    message: typeof message === 'string' ? message : undefined,
    retryable: retryable === true,
  })
}

/** A newer server has codes that this table hasn't: they are kept, and who doesn't know them goes by `retryable`. */
const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && /^[A-Z_]+$/.test(code)
