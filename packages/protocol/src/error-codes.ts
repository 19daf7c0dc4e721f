/** All error codes. Browsers import only the type. */
export const ERROR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'CONFLICT',
  'NOT_A_NUMBER',
  'STALE_MUTATION',
  'RELAY_FAILED',
  'INVALID_MESSAGE',
  'INVALID_KEY',
  'INVALID_CHANNEL',
  'INVALID_ROOM',
  'INVALID_VALUE',
  'INVALID_OPTIONS',
  'WRONG_TYPE',
  'ROOM_FULL',
  'GAP',
  'BACKLOG_FULL',
  'TOO_LARGE',
  'TOO_MANY_SUBSCRIPTIONS',
  'OVERFLOW',
  'UNSUPPORTED',
  'PROTOCOL',
  'SLOW_CONSUMER',
  'CLOSED',
  'INTERNAL',
] as const

/** The code of an error. */
export type ErrorCode = (typeof ERROR_CODES)[number]
