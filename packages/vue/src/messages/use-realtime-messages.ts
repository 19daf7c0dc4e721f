import { messages, type MessageContext } from '@tutti/client/messages'
import type { JsonValue } from '@tutti/protocol'
import { toValue, type MaybeRefOrGetter } from 'vue'
import { useRealtimeContext } from '../realtime-context.ts'
import type { RegisteredMessage, Unregistered } from '../realtime-register.ts'
import { createScopedSubscriptions } from '../scoped-subscriptions.ts'

/** Messages of server code in a component. */
export interface UseRealtimeMessagesReturn {
  /**
   * Receives messages by name (`notice`) or pattern of names (`chat:*`, `*`) until the scope ends; a changed name is followed.
   * Returns an unsubscribe function. The schema of `RealtimeRegister` types the data.
   *
   * @throws {RealtimeError} `INVALID_VALUE` for an invalid name, `CLOSED`.
   */
  subscribe<Data = JsonValue, Name extends string = string>(
    name: MaybeRefOrGetter<Name> & Unregistered<RegisteredMessage<Name>>,
    listener: (data: Data, context: MessageContext) => void,
  ): () => void
  subscribe<Name extends string>(
    name: MaybeRefOrGetter<Name>,
    listener: (data: RegisteredMessage<Name>, context: MessageContext) => void,
  ): () => void
}

/**
 * Messages that server code sends to this client, its user, its rooms or all. They are not stored. On a server there are none.
 *
 * @example
 * const { subscribe } = useRealtimeMessages()
 * subscribe<string>('notice', (text) => notices.value.push(text))
 */
export function useRealtimeMessages(): UseRealtimeMessagesReturn {
  const { client, onServer } = useRealtimeContext()
  const follow = createScopedSubscriptions(onServer)
  return {
    subscribe: <Data>(name: MaybeRefOrGetter<string>, listener: (data: Data, context: MessageContext) => void) =>
      follow(
        () => toValue(name),
        (pattern) => messages(client).subscribe(pattern, listener),
      ),
  }
}
