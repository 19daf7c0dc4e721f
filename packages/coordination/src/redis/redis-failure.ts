import { RealtimeError } from '@tutti/protocol'

/** Whether Redis could not be reached, or the link is closed: what the link reports itself. */
export const isAway = (error: unknown): boolean =>
  error instanceof RealtimeError && (error.code === 'UNAVAILABLE' || error.code === 'OUTCOME_UNKNOWN' || error.code === 'CLOSED')

/** Whether the request changed nothing and never will. */
export const isUnapplied = (error: unknown): boolean => error instanceof RealtimeError && error.code === 'UNAVAILABLE'
