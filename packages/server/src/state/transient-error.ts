import { RealtimeError, type ErrorCode } from '@tutti/protocol'

/** Failures of the connection to the store, which may pass without a gap: while its circuit breaker is open, say. */
const TRANSIENT: ReadonlySet<ErrorCode> = new Set(['UNAVAILABLE', 'OUTCOME_UNKNOWN'])

/** Whether the same request to the store may succeed later. */
export const isTransient = (error: unknown): boolean => error instanceof RealtimeError && TRANSIENT.has(error.code)
