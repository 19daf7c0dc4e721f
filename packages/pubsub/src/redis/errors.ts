import { RealtimeError } from '@tutti/protocol'

// Redis answers so when it cannot serve; nothing was changed. Inside a script's error Redis 6 puts the word behind a dash.
const CANNOT_SERVE = /^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|OOM|MISCONF|NOREPLICAS|BUSY|TRYAGAIN|MOVED|ASK|NOAUTH)\b/
const CANNOT_SERVE_IN_SCRIPT = /^ERR Error running script .*: -(READONLY|CLUSTERDOWN|MASTERDOWN|OOM|MISCONF|NOREPLICAS)\b/

/** Redis itself answered with an error, so the command was read and its outcome is known. */
const isRedisReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

/** The same error without the command that ioredis attaches: its arguments are passwords and users' values, and errors get logged. */
export function withoutArguments(error: unknown): unknown {
  if (error instanceof Error) Reflect.deleteProperty(error, 'command')
  return error
}

/** The connection answered nothing for `commandTimeoutMs`. */
export const isTimeout = (error: unknown): boolean => error instanceof Error && error.message === 'Command timed out'

/** Redis does not know the script by its SHA: it ran nothing. */
export const isUnknownScript = (error: unknown): boolean => isRedisReply(error) && error.message.startsWith('NOSCRIPT')

/** Tells a failure of the connection or of a Redis that cannot serve from a refusal of the script or command itself (N10). */
export const isConnectionFailure = (error: unknown): boolean =>
  error instanceof RealtimeError && (error.code === 'UNAVAILABLE' || error.code === 'OUTCOME_UNKNOWN')

/**
 * What a failed command means to its caller (N5): `UNAVAILABLE` when it never reached the socket or Redis refused to
 * serve it, `OUTCOME_UNKNOWN` when it was written and never answered; a script's or command's own error stays as it is.
 */
export function classifyRedisError(error: unknown): unknown {
  if (isRedisReply(error)) {
    const refused = CANNOT_SERVE.test(error.message) || CANNOT_SERVE_IN_SCRIPT.test(error.message)
    return refused ? new RealtimeError('UNAVAILABLE', { message: `Redis cannot serve: ${error.message}`, cause: error }) : error
  }
  // The client says this, and nothing else, of a command that it never wrote.
  if (error instanceof Error && error.message.startsWith("Stream isn't writeable"))
    return new RealtimeError('UNAVAILABLE', { cause: error })
  return new RealtimeError('OUTCOME_UNKNOWN', { cause: error })
}
