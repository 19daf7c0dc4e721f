import { RealtimeError } from '@tutti/protocol'

/** Rows of a page at most. */
const MAX_ROWS = 1_000

/** Rows of a page where nothing is given. */
const DEFAULT_ROWS = 100

/** Rows that a page may have. Throws `INVALID_OPTIONS`. */
export function pageLimit(limit: number = DEFAULT_ROWS): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= MAX_ROWS) return limit
  throw new RealtimeError('INVALID_OPTIONS', { message: `Invalid limit ${limit}: it must be an integer from 1 to ${MAX_ROWS}.` })
}
