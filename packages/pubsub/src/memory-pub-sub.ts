import { RealtimeError } from '@tutti/protocol'
import { createListeners, parseOptions, withMethods, type Listeners, type OptionRows } from '@tutti/protocol/internal'
import type { MessageHandler, PubSub, PubSubOptions, PubSubStatus, Unsubscribe } from './contract.ts'
import { createChannelHandlers, type ChannelHandlers } from './channel-handlers.ts'
import { createMemoryBus, type MemoryBus } from './memory-bus.ts'
import { frameMessage, parseChannelName } from './message-frame.ts'
import { createReport, PUBSUB_OPTIONS, type Report } from './report.ts'

/** Options of a `MemoryPubSub`. */
export interface MemoryPubSubOptions extends PubSubOptions {
  /**
   * Instances with the same bus receive each other's messages.
   *
   * @default a new bus: no messages are exchanged
   */
  bus?: MemoryBus | undefined
}

const OPTIONS = { ...PUBSUB_OPTIONS, bus: withMethods(['join', 'send'], undefined) } satisfies OptionRows<MemoryPubSubOptions>

/**
 * The notification layer within one process: for tests, and for deployments with one instance.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const bus = createMemoryBus()
 * const [first, second] = [new MemoryPubSub({ bus }), new MemoryPubSub({ bus })]
 */
export class MemoryPubSub implements PubSub {
  readonly instanceId: string = crypto.randomUUID()
  readonly #bus: MemoryBus
  readonly #leave: () => void
  readonly #report: Report
  readonly #channels = new Map<string, ChannelHandlers>()
  readonly #gapListeners: Listeners<[]>
  readonly #statusListeners: Listeners<[PubSubStatus]>
  #status: PubSubStatus
  #droppedMessages = 0

  constructor(options: MemoryPubSubOptions = {}) {
    const { bus = createMemoryBus(), onError } = parseOptions('MemoryPubSub', OPTIONS, options)
    this.#bus = bus
    this.#report = createReport(onError)
    this.#gapListeners = createListeners((error) => this.#report(error, { stage: 'handler' }))
    this.#statusListeners = createListeners((error) => this.#report(error, { stage: 'handler' }))
    this.#status = bus.isUp ? 'ready' : 'unavailable'
    this.#leave = bus.join({
      receive: (channel, text) => this.#channels.get(channel)?.receive(text),
      onDown: () => {
        this.#setStatus('unavailable')
        this.#report(new RealtimeError('UNAVAILABLE', { message: 'The memory bus is interrupted: `bus.restore()` has not been called.' }), {
          stage: 'connection',
        })
      },
      onUp: () => {
        this.#setStatus('ready')
        this.#gapListeners.emit()
      },
    })
  }

  get status(): PubSubStatus {
    return this.#status
  }

  get droppedMessages(): number {
    return this.#droppedMessages
  }

  async publish(channel: string, message: object): Promise<void> {
    this.#assertOpen()
    this.#bus.send(parseChannelName(channel), frameMessage(this.instanceId, message))
  }

  subscribe(channel: string, handler: MessageHandler): Unsubscribe {
    this.#assertOpen()
    const handlers = this.#channels.get(channel) ?? this.#open(parseChannelName(channel))
    const remove = handlers.add(handler)
    const ready = Promise.resolve()
    const unsubscribe = (): void => {
      remove()
      if (handlers.isEmpty && this.#channels.get(channel) === handlers) this.#channels.delete(channel)
    }
    return Object.assign(unsubscribe, { ready })
  }

  onGap(listener: () => void): () => void {
    this.#assertOpen()
    return this.#gapListeners.add(listener)
  }

  onStatus(listener: (status: PubSubStatus) => void): () => void {
    this.#assertOpen()
    return this.#statusListeners.add(listener)
  }

  async dispose(): Promise<void> {
    if (this.#status === 'closed') return
    this.#leave()
    this.#setStatus('closed')
    this.#channels.clear()
    this.#gapListeners.clear()
    this.#statusListeners.clear()
  }

  #assertOpen(): void {
    if (this.#status === 'closed') throw new RealtimeError('CLOSED')
  }

  #setStatus(status: PubSubStatus): void {
    this.#status = status
    this.#statusListeners.emit(status)
  }

  #open(channel: string): ChannelHandlers {
    const { instanceId } = this
    const handlers = createChannelHandlers({
      channel,
      instanceId,
      report: this.#report,
      onDropped: () => void (this.#droppedMessages += 1),
    })
    this.#channels.set(channel, handlers)
    return handlers
  }
}
