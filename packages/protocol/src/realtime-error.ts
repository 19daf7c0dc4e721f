import type { Entry } from './entry.ts'
import type { ErrorCode } from './error-codes.ts'
import type { JsonValue } from './json.ts'

/** The default messages. Errors with other codes have a message of the place that raises them. */
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  OUTCOME_UNKNOWN: 'No reply. It may have been applied.',
  CLOSED: 'Closed. Create a new one to continue.',
  INTERNAL: 'Internal error: see `cause`, or the log of the server.',
}

/** Whether the same request, sent again unchanged, may succeed and does no harm. */
export const isRetryable = (code: ErrorCode): boolean =>
  code === 'UNAVAILABLE' || code === 'RATE_LIMITED' || code === 'BACKLOG_FULL' || code === 'TIMEOUT'

/** An error as it is sent: never a stack, never a cause. */
export interface WireError {
  code: ErrorCode
  message: string
  retryable: boolean
  /** Wait this long before the next attempt, milliseconds. */
  retryAfterMs?: number
  /** With `CONFLICT`: the current entry. */
  entry?: Entry
  /** With `INVALID_MESSAGE` and `INVALID_VALUE`: the flaws, for example by path. */
  issues?: JsonValue[]
}

/** What an error may carry besides its code. */
export interface RealtimeErrorOptions {
  /**
   * What happened, to what, and what to do next.
   *
   * @default a message of the code
   */
  message?: string | undefined
  /**
   * Whether the same request, sent again unchanged, may succeed and does no harm.
   *
   * @default true for `UNAVAILABLE`, `RATE_LIMITED`, `BACKLOG_FULL` and `TIMEOUT`
   */
  retryable?: boolean | undefined
  /** The original error. It is never sent to a client. Unset by default. */
  cause?: unknown
  /** How long to wait before the next attempt, milliseconds. Unset by default. */
  retryAfterMs?: number | undefined
  /** With `CONFLICT`: the current entry. Unset by default. */
  entry?: Entry | undefined
  /** With `INVALID_MESSAGE` and `INVALID_VALUE`: the flaws, for example by path. Unset by default. */
  issues?: JsonValue[] | undefined
}

/** The only error class of Tutti. `code` identifies the failure, `retryable` whether another attempt may succeed. */
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

/** The form of an error on the wire; anything that is not a `RealtimeError` becomes a plain `INTERNAL`. */
export function toWireError(error: unknown): WireError {
  const known =
    error instanceof RealtimeError
      ? error
      : new RealtimeError('INTERNAL', { message: 'Internal server error. The server reported it to `onError`.' })
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
 * Converts the error of a reply or a refused handshake to one that can be thrown. Anything else becomes `INTERNAL`, not
 * retryable.
 */
export function fromWireError(error: unknown): RealtimeError {
  const { code, message, retryable, ...extras }: Partial<WireError> = typeof error === 'object' && error !== null ? error : {}
  return new RealtimeError(isErrorCode(code) ? code : 'INTERNAL', {
    ...extras,
    message: typeof message === 'string' ? message : undefined,
    retryable: retryable === true,
  })
}

/**
 * A newer server may send codes that are not in this table. They are kept: a client that does not know a code uses `retryable`.
 */
const isErrorCode = (code: unknown): code is ErrorCode => typeof code === 'string' && /^[A-Z_]+$/.test(code)
