import { randomUUID } from 'node:crypto'
import { RealtimeError } from '@tutti/protocol'
import type { MessageHandler, PubSub, PubSubStatus, Unsubscribe } from './contract.ts'
import { createChannelHandlers, type ChannelHandlers } from './channel-handlers.ts'
import { frameMessage, parseChannelName } from './message-frame.ts'
import { createRedisLink, type RedisLinkOptions } from './redis/redis-link.ts'
import type { RedisLink } from './redis/link-contract.ts'
import { createReport, type Report } from './report.ts'
import { servingStatus, type ServingStatus } from './serving-status.ts'

/** Options of a `RealtimePubSub`: the Redis server, and the error listener. */
export type RealtimePubSubOptions = RedisLinkOptions

/**
 * The notification layer over Redis: two connections, regardless of how many features share it. Connects at once and
 * retries; `link.ready` settles when it is connected.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const pubsub = new RealtimePubSub({ url: 'redis://127.0.0.1:6379' })
 */
export class RealtimePubSub implements PubSub {
  readonly instanceId: string = randomUUID()
  /** The Redis link for packages that store data: scripts, commands, raw subscriptions. */
  readonly link: RedisLink
  readonly #report: Report
  readonly #serving: ServingStatus
  readonly #channels = new Map<string, ChannelHandlers & { unsubscribe: Unsubscribe }>()
  #droppedMessages = 0

  constructor(options: RealtimePubSubOptions = {}) {
    this.link = createRedisLink(options, this.instanceId)
    this.#report = createReport(options.onError)
    this.#serving = servingStatus(this.link)
  }

  get status(): PubSubStatus {
    return this.#serving.status
  }

  get droppedMessages(): number {
    return this.#droppedMessages
  }

  async publish(channel: string, message: object): Promise<void> {
    await this.link.publish(parseChannelName(channel), frameMessage(this.instanceId, message))
  }

  subscribe(channel: string, handler: MessageHandler): Unsubscribe {
    if (this.link.status === 'closed') throw new RealtimeError('CLOSED')
    const handlers = this.#channels.get(channel) ?? this.#open(parseChannelName(channel))
    const remove = handlers.add(handler)
    const unsubscribe = (): void => {
      remove()
      if (!handlers.isEmpty || this.#channels.get(channel) !== handlers) return
      this.#channels.delete(channel)
      handlers.unsubscribe()
    }
    return Object.assign(unsubscribe, { ready: handlers.unsubscribe.ready })
  }

  onGap(listener: () => void): () => void {
    return this.link.onGap(listener)
  }

  onStatus(listener: (status: PubSubStatus) => void): () => void {
    return this.#serving.onStatus(listener)
  }

  async dispose(): Promise<void> {
    await this.link.dispose()
    this.#channels.clear()
  }

  #open(channel: string): ChannelHandlers & { unsubscribe: Unsubscribe } {
    const handlers = createChannelHandlers({
      channel,
      instanceId: this.instanceId,
      report: this.#report,
      onDropped: () => void (this.#droppedMessages += 1),
    })
    const opened = Object.assign(handlers, { unsubscribe: this.link.subscribe(channel, (text) => handlers.receive(text)) })
    this.#channels.set(channel, opened)
    return opened
  }
}
