import { RealtimeError, type ErrorCode } from '@tutti/protocol'

/** Failures of the connection to the store, which may pass without a gap: while its circuit breaker is open, say. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'OUTCOME_UNKNOWN'])

/** Tells whether what the store could not do now may be asked of it again. */
export const isPassing = (error: unknown): boolean => error instanceof RealtimeError && PASSING.has(error.code)
