import { RealtimeError } from '@tutti/protocol'
import type { RedisScript } from '@tutti/pubsub/redis'

/** Whether Redis could not be reached, or the link is closed: what the link reports itself. */
export const isAway = (error: unknown): boolean =>
  error instanceof RealtimeError && (error.code === 'UNAVAILABLE' || error.code === 'OUTCOME_UNKNOWN' || error.code === 'CLOSED')

/** Whether the request changed nothing and never will. */
export const isUnapplied = (error: unknown): boolean => error instanceof RealtimeError && error.code === 'UNAVAILABLE'

/** A script that may run twice without harm: a run whose outcome is unknown rejects as `retryable`, so that callers repeat it. */
export const repeatable = (script: RedisScript): Pick<RedisScript, 'run'> => ({
  run: (keys, args) =>
    script.run(keys, args).catch((error: unknown) => {
      if (!(error instanceof RealtimeError) || error.code !== 'OUTCOME_UNKNOWN') throw error
      throw new RealtimeError('OUTCOME_UNKNOWN', { message: error.message, retryable: true, cause: error })
    }),
})
