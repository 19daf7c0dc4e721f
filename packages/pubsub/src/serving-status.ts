import type { PubSubStatus } from './contract.ts'
import type { RedisLink } from './redis/link-contract.ts'

/** Whether a link serves, and changes of that. */
export interface ServingStatus {
  readonly status: PubSubStatus
  /** Runs the listener at each change. Returns its undo. */
  onStatus(listener: (status: PubSubStatus) => void): () => void
}

/**
 * The status of a link as its users feel it: while the circuit breaker refuses calls (N10), a Redis that is connected is
 * as good as away.
 */
export function servingStatus(link: RedisLink): ServingStatus {
  const current = (): PubSubStatus => (link.status === 'ready' && link.breaker !== 'closed' ? 'unavailable' : link.status)
  return {
    get status() {
      return current()
    },
    onStatus: (listener) => {
      let told = current()
      const tell = (): void => {
        const status = current()
        if (status === told) return
        told = status
        listener(status)
      }
      const undo = [link.onStatus(tell), link.onBreaker(tell)]
      return () => {
        for (const end of undo) end()
      }
    },
  }
}
