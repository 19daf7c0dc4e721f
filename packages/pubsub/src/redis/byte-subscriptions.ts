import type { Unsubscribe } from '../contract.ts'
import type { BytesHandler } from './link-contract.ts'
import { createSubscriptions, type SubscriptionsOptions } from './subscriptions.ts'

/** Subscriptions to messages of other libraries, by channel and by the beginning of a channel. */
export interface ByteSubscriptions {
  add(channel: string, handler: BytesHandler): Unsubscribe
  renew(): void
  clear(): void
}

/** What the registry needs. */
export interface ByteSubscriptionsOptions extends Pick<SubscriptionsOptions, 'sub' | 'report'> {
  prefix: string
}

/** In a pattern, these have a meaning for Redis. */
const SPECIAL = /[\\*?[\]]/g

/** Creates the registry. Without a subscription, messages cost nothing here. */
export function createByteSubscriptions({ sub, report, prefix }: ByteSubscriptionsOptions): ByteSubscriptions {
  const start = `${prefix}:`
  const channels = createSubscriptions<Parameters<BytesHandler>>({ sub, report, nameOf: (channel) => start + channel })
  const patterns = createSubscriptions<Parameters<BytesHandler>>({
    ...{ sub, report, kind: 'patterns' },
    nameOf: (channel) => `${(start + channel.slice(0, -1)).replaceAll(SPECIAL, String.raw`\$&`)}*`,
  })
  let isListening = false

  const listen = (): void => {
    isListening = true
    sub.onBytes({
      message: (redisChannel, message) => channels.receive(redisChannel, message, redisChannel.slice(start.length)),
      matched: (pattern, redisChannel, message) => patterns.receive(pattern, message, redisChannel.slice(start.length)),
    })
  }

  return {
    add: (channel, handler) => {
      if (!isListening) listen()
      return (channel.endsWith('*') ? patterns : channels).add(channel, handler)
    },
    renew: () => {
      channels.renew()
      patterns.renew()
    },
    clear: () => {
      channels.clear()
      patterns.clear()
    },
  }
}
