import { RealtimeError } from '@tutti/protocol'

// Errors of a Redis that cannot serve; nothing was changed. Inside a script's error, Redis 6 puts the word after a dash.
const CANNOT_SERVE = /^(LOADING|READONLY|CLUSTERDOWN|MASTERDOWN|OOM|MISCONF|NOREPLICAS|BUSY|TRYAGAIN|MOVED|ASK|NOAUTH)\b/
const CANNOT_SERVE_IN_SCRIPT = /^ERR Error running script .*: -(READONLY|CLUSTERDOWN|MASTERDOWN|OOM|MISCONF|NOREPLICAS)\b/

/** Whether Redis replied with an error, so that the command was read and its outcome is known. */
const isRedisReply = (error: unknown): error is Error => error instanceof Error && error.name === 'ReplyError'

/**
 * The same error without the command that ioredis attaches: its arguments contain passwords and users' values, and errors are
 * logged.
 */
export function withoutArguments(error: unknown): unknown {
  if (error instanceof Error) Reflect.deleteProperty(error, 'command')
  return error
}

/** Whether the connection did not reply within `commandTimeoutMs`. */
export const isTimeout = (error: unknown): boolean => error instanceof Error && error.message === 'Command timed out'

/** Whether Redis does not know the script's SHA. Nothing ran. */
export const isUnknownScript = (error: unknown): boolean => isRedisReply(error) && error.message.startsWith('NOSCRIPT')

/** Whether the connection failed or Redis cannot serve, as opposed to an error of the script or command itself (N10). */
export const isConnectionFailure = (error: unknown): boolean =>
  error instanceof RealtimeError && (error.code === 'UNAVAILABLE' || error.code === 'OUTCOME_UNKNOWN')

/** The command was not written: there is no connection. */
export const notConnected = (cause: unknown): RealtimeError =>
  new RealtimeError('UNAVAILABLE', { message: 'Not connected to Redis. The command was not sent.', cause })

/**
 * The error of a failed command for its caller (N5): `UNAVAILABLE` if it was never written to the socket or Redis refused to
 * serve it, `OUTCOME_UNKNOWN` if it was written without a reply; an error of the script or command itself is unchanged.
 */
export function classifyRedisError(error: unknown): unknown {
  if (isRedisReply(error)) {
    const refused = CANNOT_SERVE.test(error.message) || CANNOT_SERVE_IN_SCRIPT.test(error.message)
    return refused ? new RealtimeError('UNAVAILABLE', { message: `Redis refused the command: ${error.message}`, cause: error }) : error
  }
  // ioredis uses this message only for commands that it never wrote.
  if (error instanceof Error && error.message.startsWith("Stream isn't writeable")) return notConnected(error)
  return new RealtimeError('OUTCOME_UNKNOWN', { message: 'No reply from Redis. The command may have been executed.', cause: error })
}
