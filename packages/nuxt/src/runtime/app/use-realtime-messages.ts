import type { JsonValue } from '@tutti/protocol'
import type { MessageContext } from '@tutti/client/messages'
import { useRealtimeMessages as useMessages } from '@tutti/vue/messages'
import type { MaybeRefOrGetter } from 'vue'
import type { RegisteredMessage } from '../registered-value'

/** Data of a message without a schema has the type that the application names. */
type UnregisteredMessage<Name extends string> = unknown extends RegisteredMessage<Name> ? unknown : never

/** Messages of server code in a component, typed by `shared/realtime.ts`; see `UseRealtimeMessagesReturn` of `@tutti/vue/messages`. */
export interface UseRealtimeMessagesReturn {
  subscribe<Data = JsonValue, Name extends string = string>(
    name: MaybeRefOrGetter<Name> & UnregisteredMessage<Name>,
    listener: (data: Data, context: MessageContext) => void,
  ): () => void
  subscribe<Name extends string>(
    name: MaybeRefOrGetter<Name>,
    listener: (data: RegisteredMessage<Name>, context: MessageContext) => void,
  ): () => void
}

/** Messages that server code sends; see `useRealtimeMessages` of `@tutti/vue/messages`. */
export const useRealtimeMessages = (): UseRealtimeMessagesReturn => useMessages()
