import type { PubSubStatus } from './contract.ts'
import type { RedisLink } from './redis/link-contract.ts'

/** Whether a link serves, with change events. */
export interface ServingStatus {
  readonly status: PubSubStatus
  /** Runs the listener at each change. Returns an unsubscribe function. */
  onStatus(listener: (status: PubSubStatus) => void): () => void
}

/**
 * The status of a link for its users: while the circuit breaker refuses calls (N10), a connected Redis counts as unavailable.
 */
export function servingStatus(link: RedisLink): ServingStatus {
  const current = (): PubSubStatus => (link.status === 'ready' && link.breaker !== 'closed' ? 'unavailable' : link.status)
  return {
    get status() {
      return current()
    },
    onStatus: (listener) => {
      let reported = current()
      const notify = (): void => {
        const status = current()
        if (status === reported) return
        reported = status
        listener(status)
      }
      const undo = [link.onStatus(notify), link.onBreaker(notify)]
      return () => {
        for (const end of undo) end()
      }
    },
  }
}
