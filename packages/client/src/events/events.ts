import { fromWireError, isKey, jsonCopy, RealtimeError } from '@tutti/protocol'
import { callSafely, flag, isSubscribable, parseOptions, patternsOf, type OptionRows } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import type { Clock } from '../connection/clock.ts'
import type { Connection } from '../connection/connection-contract.ts'
import { settledBy } from '../mark-handled.ts'
import type { SchemaEventData, SchemaTypes } from '../schema-types.ts'
import { createEventPipeline, type EventMiddleware } from './event-middleware.ts'
import { createSubscriptions } from '../connection/subscriptions.ts'

/**
 * Event data by channel, e.g. `{ 'chat:room1': Message }` or, by template, ``{ [channel: `chat:${string}`]: Message }``; or
 * `typeof schema` of a `defineSchema`.
 */
export type EventMap = object

/** The data of a channel or pattern, where the map knows it. */
export type EventData<Events extends EventMap, Name extends string> = Events extends SchemaTypes
  ? SchemaEventData<Events, Name>
  : Name extends keyof Events
    ? Events[Name]
    : unknown

/** Where an event came from. */
export interface EventContext {
  channel: string
}

/** How an event is published. */
export interface PublishOptions {
  /**
   * This client receives the event too, if it is subscribed.
   *
   * @default false
   */
  includeSelf?: boolean | undefined
}

const PUBLISH_OPTIONS = { includeSelf: flag(undefined) } satisfies OptionRows<PublishOptions>

/** Events: delivered to the current subscribers, not stored. */
export interface Events<Channels extends EventMap> {
  /**
   * Subscribes to a channel (`chat:room1`) or all below a prefix (`chat:*`, `*`), also after reconnects. Returns an unsubscribe
   * function.
   *
   * @throws {RealtimeError} `INVALID_CHANNEL`, `CLOSED`.
   */
  subscribe<Name extends string>(name: Name, listener: (data: EventData<Channels, Name>, context: EventContext) => void): () => void
  /**
   * Delivers an event to all subscribers of the channel; settles when the server has sent it to its own. Events are not queued.
   *
   * @throws {RealtimeError} `UNAVAILABLE` (no connection), `INVALID_CHANNEL`, `INVALID_VALUE`, `INVALID_OPTIONS`, `TOO_LARGE`, `RELAY_FAILED`
   * (delivered on one instance only), `RATE_LIMITED` (wait its `retryAfterMs`), `FORBIDDEN`, `OUTCOME_UNKNOWN` (the connection was
   * lost before the reply), `CLOSED`.
   */
  publish<Name extends string>(channel: Name, data: EventData<Channels, Name>, options?: PublishOptions): Promise<void>
  /**
   * Adds middleware, which receives each incoming event before its subscribers, and can change, drop or delay it. Not for durable channels
   * (`@tutti/client/durable`). Returns a function that removes it.
   */
  use(middleware: EventMiddleware): () => void
}

/** What events need of their client. */
export interface EventsContext {
  clock: Clock
  random: () => number
  connection: Connection
  isClosed: () => boolean
  onThrow: (error: unknown) => void
  onError: (error: unknown, stage: 'subscribe') => void
}

/** A method, so that listeners of any data are assignable: the types of channels are declared by the application. */
interface Listener {
  run(data: unknown, context: EventContext): void
}

/** Makes the events of one client. Many listeners of one name are one subscription on the server. */
export function createEvents<Channels extends EventMap>(context: EventsContext): Events<Channels> {
  const { connection, isClosed, onThrow, onError } = context
  const listeners = new Map<string, Set<Listener>>()
  const subscriptions = createSubscriptions({
    ...context,
    batches: (names) => names.map((name) => [name]),
    request: ([channel = ''], on, done) => {
      connection.request(on ? 'event:subscribe' : 'event:unsubscribe', { channel }, ({ error }) => done(error))
    },
    onRefused: (_name, error) => onError(error, 'subscribe'),
    onGone: () => {},
  })

  const publish = (channel: string, data: unknown, options: PublishOptions = {}): Promise<void> =>
    settledBy((done) => {
      const { includeSelf } = parseOptions('publish', PUBLISH_OPTIONS, options)
      if (isClosed()) throw new RealtimeError('CLOSED')
      const event = { channel: assertName(isKey, channel, 'INVALID_CHANNEL'), data: jsonCopy(data), includeSelf }
      // A client that subscribes and then publishes receives the event.
      subscriptions.flush()
      connection.request('event:publish', event, ({ error }) => done(error))
    })

  const pipeline = createEventPipeline(onThrow)
  const deliver = (channel: string, data: unknown): void => {
    for (const pattern of patternsOf(channel)) {
      for (const listener of [...(listeners.get(pattern) ?? [])]) callSafely(() => listener.run(data, { channel }), onThrow)
    }
  }

  connection.attach({
    onUp: subscriptions.restore,
    onDown: subscriptions.lose,
    'server:revoked': ({ target, error }) => {
      if ('channel' in target) subscriptions.revoke(target.channel, fromWireError(error))
    },
    'event:received': ({ channel, data }) => pipeline.pass(channel, data, (passed) => deliver(channel, passed)),
  })

  return {
    subscribe: (name, run) => {
      if (isClosed()) throw new RealtimeError('CLOSED')
      const listener: Listener = { run }
      const group = listeners.get(assertName(isSubscribable, name, 'INVALID_CHANNEL')) ?? new Set<Listener>()
      listeners.set(name, group.add(listener))
      subscriptions.want(name)
      return () => {
        if (!group.delete(listener) || group.size > 0) return
        listeners.delete(name)
        subscriptions.unwant(name)
      }
    },
    publish,
    use: pipeline.use,
  }
}
