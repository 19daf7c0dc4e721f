import { RealtimeError } from '@tutti/protocol'
import { callSafely } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'

type Listener = (...args: unknown[]) => unknown
type CountListener = (error: Error | null, reply: [channel: string, count: unknown]) => void

/** What the adapter of one namespace uses of a client that publishes, by its names. */
interface PublishingClient {
  publish(redisChannel: string, message: string | Buffer): void
  /** Only ever PUBSUB NUMSUB: how many instances receive a request. */
  send_command(command: 'PUBSUB', args: readonly ['NUMSUB', string], onReply: CountListener): void
  on(): void
  off(): void
}

/** What it uses of a client that subscribes. */
interface SubscribingClient {
  subscribe(redisChannels: readonly string[]): void
  unsubscribe(redisChannels: readonly string[]): void
  psubscribe(pattern: string): void
  punsubscribe(pattern: string): void
  on(event: string, listener: Listener): void
  off(event: string): void
}

/** A number that no number of replies equals: calls that need the number of instances end with their timeout, and never with too few replies. */
const UNKNOWN = Number.NaN

/**
 * Clients for the adapter of one namespace, over the connections of a link. An error of theirs would end the process: the adapter awaits
 * no result, and Socket.IO handles no rejection of a count.
 */
export function adapterClients(link: RedisLink, onError: (error: unknown) => void): { pub: PublishingClient; sub: SubscribingClient } {
  const start = `${link.prefix}:`
  const nameOf = (redisName: string): string => redisName.slice(start.length)
  const listeners = new Map<string, Listener>()
  const subscriptions = new Map<string, () => void>()

  const receive = (event: string, ...args: unknown[]): void => callSafely(() => listeners.get(event)?.(...args), onError)
  const begin = (redisName: string, receiveFrom: (channel: string, message: Buffer) => void): void => {
    if (subscriptions.has(redisName)) return
    const unsubscribe = link.subscribeBytes(nameOf(redisName), (message, channel) => receiveFrom(start + channel, message))
    subscriptions.set(redisName, unsubscribe)
  }
  const end = (redisName: string): void => {
    subscriptions.get(redisName)?.()
    subscriptions.delete(redisName)
  }
  const count = async (redisChannel: string): Promise<number> => {
    const subscribers = await link.countSubscribers(nameOf(redisChannel))
    // While this instance is not subscribed itself, others may not be either.
    return link.status === 'ready' ? subscribers : UNKNOWN
  }

  return {
    pub: {
      publish: (redisChannel, message) => {
        link.publish(nameOf(redisChannel), message).catch((error: unknown) => {
          if (!(error instanceof RealtimeError)) onError(error)
        })
      },
      send_command: (_command, [, redisChannel], onReply) => {
        count(redisChannel).then(
          (subscribers) => onReply(null, [redisChannel, subscribers]),
          () => onReply(null, [redisChannel, UNKNOWN]),
        )
      },
      // It listens for errors only, which the link reports.
      on: () => {},
      off: () => {},
    },
    sub: {
      subscribe: (redisChannels) => {
        for (const name of redisChannels) begin(name, (channel, message) => receive('messageBuffer', channel, message))
      },
      unsubscribe: (redisChannels) => redisChannels.forEach(end),
      psubscribe: (pattern) => begin(pattern, (channel, message) => receive('pmessageBuffer', pattern, channel, message)),
      punsubscribe: end,
      on: (event, listener) => void listeners.set(event, listener),
      off: (event) => void listeners.delete(event),
    },
  }
}
