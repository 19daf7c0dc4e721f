import { RealtimeError } from '@tutti/protocol'
import type { RedisLink } from '@tutti/pubsub/redis'

/**
 * Settles when Redis has confirmed the subscription. A subscription waits for Redis, as long as it takes; a caller does not: this
 * rejects with `UNAVAILABLE` while Redis is away. `ended` rejects when the result is no longer needed. Never an unhandled rejection.
 */
export function confirmed(
  link: Pick<RedisLink, 'status' | 'onStatus'>,
  subscription: { readonly ready: Promise<void> },
  ended: Promise<never>,
): Promise<void> {
  const away = new Promise<never>((_resolve, reject) => {
    const fail = (): void =>
      reject(new RealtimeError('UNAVAILABLE', { message: 'Redis is unavailable: the subscription was not confirmed.' }))
    const stop = link.onStatus((status) => status === 'unavailable' && fail())
    subscription.ready.then(stop, stop)
    ended.catch(stop)
    if (link.status === 'unavailable') fail()
  })
  const result = Promise.race([subscription.ready, away])
  result.catch(() => {})
  return result
}
