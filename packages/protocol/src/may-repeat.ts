import type { RealtimeError } from './realtime-error.ts'

/**
 * Whether a request that changes nothing the second time is sent again: also where the server itself does not know the outcome.
 * What is only retried where the error is `retryable` would otherwise end there.
 */
export const mayRepeat = ({ code, retryable }: Pick<RealtimeError, 'code' | 'retryable'>): boolean =>
  retryable || code === 'OUTCOME_UNKNOWN'
