import type { EventContext, EventData, EventMap, PublishOptions } from '@tutti/client'
import { flag, parseOptions, type OptionRows } from '@tutti/protocol/internal'
import { toValue, type MaybeRefOrGetter } from 'vue'
import { useRealtimeContext } from './realtime-context.ts'
import type { RegisteredSchema } from './realtime-register.ts'
import { createScopedSubscriptions } from './scoped-subscriptions.ts'

/** Options of `useRealtimeEvents`. */
export interface UseRealtimeEventsOptions {
  /**
   * Whether this client receives its own events, unless `publish` specifies it.
   *
   * @default false
   */
  includeSelf?: boolean | undefined
}

const OPTIONS = { includeSelf: flag(false) } satisfies OptionRows<UseRealtimeEventsOptions>

/** Events in a component. */
export interface UseRealtimeEventsReturn<Channels extends EventMap> {
  /**
   * Subscribes to a channel (`chat:room1`) or all below a prefix (`chat:*`, `*`) until the scope ends; a changed name is
   * followed. Returns an unsubscribe function.
   *
   * @throws {RealtimeError} `INVALID_CHANNEL`, `CLOSED`.
   */
  subscribe<Name extends string>(
    name: MaybeRefOrGetter<Name>,
    listener: (data: EventData<Channels, Name>, context: EventContext) => void,
  ): () => void
  /** Delivers an event to all subscribers of the channel; errors are those of `client.events.publish`. */
  publish<Name extends string>(channel: Name, data: EventData<Channels, Name>, options?: PublishOptions): Promise<void>
}

/**
 * Events of this application, typed by a map of channels; by default by the schema of `RealtimeRegister`.
 *
 * @throws {RealtimeError} `INVALID_OPTIONS`.
 *
 * @example
 * const { subscribe, publish } = useRealtimeEvents<{ [channel: `chat:${string}`]: Message }>()
 * subscribe('chat:lobby', (message) => messages.value.push(message))
 */
export function useRealtimeEvents<Channels extends EventMap = RegisteredSchema>(
  options: UseRealtimeEventsOptions = {},
): UseRealtimeEventsReturn<Channels> {
  const { includeSelf } = parseOptions('useRealtimeEvents', OPTIONS, options)
  const { client, onServer } = useRealtimeContext()
  const follow = createScopedSubscriptions(onServer)
  return {
    subscribe: <Name extends string>(
      name: MaybeRefOrGetter<Name>,
      run: (data: EventData<Channels, Name>, context: EventContext) => void,
    ) => {
      // A method, so that a listener of any data is assignable: the types of channels are declared by the application.
      const listener: { run(data: unknown, context: EventContext): void } = { run }
      return follow(
        () => toValue(name),
        (channel) => client.events.subscribe(channel, (data, context) => listener.run(data, context)),
      )
    },
    publish: (channel, data, how) => client.events.publish<string>(channel, data, { ...how, includeSelf: how?.includeSelf ?? includeSelf }),
  }
}
