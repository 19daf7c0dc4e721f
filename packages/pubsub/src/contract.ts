/**
 * State of the connection to the relay. `unavailable`: it was lost, was never reached, or refuses to serve; attempts continue.
 */
export type PubSubStatus = 'connecting' | 'ready' | 'unavailable' | 'closed'

/** Ends a subscription. `ready` settles when it is confirmed and never becomes an unhandled rejection. */
export interface Unsubscribe {
  (): void
  readonly ready: Promise<void>
}

/** Receives messages of other instances as JSON text: `(text) => JSON.parse(text)`. */
export type MessageHandler = (message: string) => void

/** Where a background failure happened: `onError(error, { stage })`. */
export interface ErrorContext {
  /** `connection`: a link was lost; `subscribe`: a subscription failed; `message`: a message was dropped; `handler`: a listener threw. */
  stage: 'connection' | 'subscribe' | 'message' | 'handler'
  /** The channel of the failure, if any. */
  channel?: string
}

/** Options of every `PubSub`. */
export interface PubSubOptions {
  /**
   * Receives failures that no caller awaits.
   *
   * @default a process warning for a lost connection, `console.error` for everything else
   */
  onError?: ((error: unknown, context: ErrorContext) => void) | undefined
}

/**
 * The notification layer: notifies other instances that something happened, and stores no data. A message may be lost; a
 * subscriber that must not miss a change reads the storage again after `onGap`. Implementations MUST pass the suite at
 * `pubsub/testing`.
 */
export interface PubSub {
  /** A UUID created at construction, sent in every message as `origin`. */
  readonly instanceId: string
  readonly status: PubSubStatus
  /** Messages that were dropped because they do not parse. */
  readonly droppedMessages: number
  /**
   * Sends a plain object, with `origin` added, to every other instance subscribed to the channel, never to this one. While
   * `connecting` it waits for the outcome of the first attempt.
   *
   * @throws {RealtimeError} `UNAVAILABLE` (not sent), `OUTCOME_UNKNOWN` (perhaps sent), `INVALID_MESSAGE` (not a plain JSON object),
   * `INVALID_CHANNEL` (half a surrogate pair, which Redis cannot distinguish from another), `CLOSED`.
   */
  publish(channel: string, message: object): Promise<void>
  /**
   * Calls the handler for each message of another instance, in the order published by each.
   *
   * @throws {RealtimeError} `INVALID_CHANNEL`, `CLOSED`.
   */
  subscribe(channel: string, handler: MessageHandler): Unsubscribe
  /**
   * Runs the listener when messages may have been missed, once all subscriptions are confirmed again; also after a start
   * during which the relay was unreachable. Returns an unsubscribe function.
   */
  onGap(listener: () => void): () => void
  /** Runs the listener at each change of `status`. Returns an unsubscribe function. */
  onStatus(listener: (status: PubSubStatus) => void): () => void
  /** Ends all subscriptions and connections; idempotent. Afterwards every call rejects or throws with `CLOSED`. */
  dispose(): Promise<void>
}
