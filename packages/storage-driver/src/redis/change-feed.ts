import { createListeners } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import type { StateChange, StateStore } from '../contract.ts'
import type { StoreSettings } from '../store-options.ts'
import type { PatchBaseCache } from './patch-base-cache.ts'
import { keyOfMessage, parseWatchMessage } from './watch-message.ts'

/** Dependencies of a feed. */
export interface ChangeFeedOptions {
  link: RedisLink
  channel: string
  cache: PatchBaseCache
  onError: StoreSettings['onError']
  /** Called when the feed requests its subscription. The function that it returns is called when Redis has confirmed it. */
  onSubscribed: () => () => void
}

/** Delivers every change to the listeners. */
export interface ChangeFeed {
  listen: StateStore['onChange']
  /** Invalid messages so far. */
  readonly dropped: number
  close(): void
}

/**
 * Changes come from one stream only: the messages of one Redis channel, including those of this instance, in the order in which
 * Redis executed the scripts. So the changes of each key arrive in version order, each once. Replies on the other connection
 * overtake messages, so changes are never taken from replies. The SUBSCRIBE exists only while there is a listener. Each message
 * is parsed once for all listeners, and not at all if none of them wants its key: such a message costs almost nothing,
 * regardless of the size of its value.
 */
export function createChangeFeed({ link, channel, cache, onError, onSubscribed }: ChangeFeedOptions): ChangeFeed {
  const listeners = createListeners<[StateChange]>((error) => onError(error, { stage: 'listener' }))
  const wanted = new Set<(key: string) => boolean>()
  let dropped = 0
  let subscription: ReturnType<RedisLink['subscribe']> | undefined

  const isWanted = (key: string): boolean => {
    for (const wants of wanted) if (wants(key)) return true
    return false
  }

  const receive = (message: string): void => {
    try {
      const key = keyOfMessage(message)
      if (key !== undefined && cache.get(key) === undefined && !isWanted(key)) return
      const change = parseWatchMessage(message, key)
      cache.follow(change)
      listeners.emit(change)
    } catch (error) {
      dropped += 1
      onError(error, { stage: 'message' })
    }
  }

  const subscribe = (): ReturnType<RedisLink['subscribe']> => {
    const requested = link.subscribe(channel, receive)
    // Its rejection is reported by the link.
    requested.ready.then(onSubscribed(), () => {})
    return requested
  }

  const end = (): void => {
    subscription?.()
    subscription = undefined
  }

  return {
    get dropped() {
      return dropped
    },
    listen: (listener, wants) => {
      const forget = listeners.add(listener)
      // A new function for each call, because the same listener may be added twice.
      const mine = (key: string): boolean => wants?.(key) ?? true
      wanted.add(mine)
      subscription ??= subscribe()
      const stop = (): void => {
        forget()
        wanted.delete(mine)
        if (listeners.size === 0) end()
      }
      return Object.assign(stop, { ready: subscription.ready })
    },
    close: () => {
      listeners.clear()
      wanted.clear()
      end()
    },
  }
}
