import { RealtimeError } from '@tutti/protocol'
import type { CircuitBreaker } from './circuit-breaker.ts'
import { isConnectionFailure } from './errors.ts'
import { isSlotOnTheMove } from './cluster/redirection.ts'
import type { Send } from './script.ts'

/** Sends past the breaker and tells it how it went (N10). */
export const guardedSend =
  (breaker: CircuitBreaker, send: Send): Send =>
  async (name, args) => {
    if (!breaker.tryPass()) throw new RealtimeError('UNAVAILABLE', { message: 'Redis failed repeatedly and is left alone for a while.' })
    try {
      const reply = await send(name, args)
      breaker.succeeded()
      return reply
    } catch (error) {
      if (isConnectionFailure(error) && !isSlotOnTheMove(error)) breaker.failed()
      else breaker.succeeded()
      throw error
    }
  }
