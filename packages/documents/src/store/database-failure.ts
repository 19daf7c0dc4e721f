import { RealtimeError } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'

/**
 * SQLSTATE of failures of the database itself: connection, resources, operator intervention, system; no sign-in, no such database, a
 * standby, missing rights or tables.
 */
const UNAVAILABLE = /^(08|53|57|58|28|3D|25006|42501|42P01)/

/** Codes of Node for a connection that failed. */
const CONNECTION = /^(ECONN|EPIPE|ENOTFOUND|ETIMEDOUT|EHOSTUNREACH|EAI_AGAIN)/

/** How the messages of node-postgres begin for a connection that failed: they have no code. */
const LOST = /^(Connection terminated|timeout exceeded|timeout expired|Client (has encountered|was closed)|Cannot use a pool)/i

/** Two transactions that met; the same call succeeds when it is repeated. */
const CONFLICT = /^40/

/** Whether a transaction met another one. */
export const isConflict = (thrown: unknown): boolean => CONFLICT.test(codeOf(toError(thrown)))

/** The failure of a query, with `UNAVAILABLE` where the database itself failed and the same call can succeed later. */
export function databaseFailure(thrown: unknown): Error {
  const error = toError(thrown)
  if (error instanceof RealtimeError) return error
  const code = codeOf(error)
  const { message } = rootOf(error)
  const isLost = code === '' ? LOST.test(message) : UNAVAILABLE.test(code) || CONNECTION.test(code) || CONFLICT.test(code)
  if (!isLost) return error
  return new RealtimeError('UNAVAILABLE', { message: `The database is not available (${code || message}).`, cause: error })
}

/** The code of an error or of what caused it: Drizzle wraps the errors of drivers. */
function codeOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.cause instanceof Error ? codeOf(error.cause) : ''
}

const rootOf = (error: Error): Error => (error.cause instanceof Error ? rootOf(error.cause) : error)
