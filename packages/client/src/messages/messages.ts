import { RealtimeError, type JsonValue } from '@tutti/protocol'
import { isSubscribable } from '@tutti/protocol/internal'
import { assertName } from '../assert-name.ts'
import type { RealtimeClient } from '../create-realtime-client.ts'
import { messageHubOf } from './message-hub.ts'

/** Where a message came from. */
export interface MessageContext {
  readonly name: string
  /** The room that it was sent to; absent for messages to several rooms, users, connections or all. */
  readonly room: string | undefined
}

/** Messages that server code sends to this client. They are not stored: what is sent while it is not connected is missed. */
export interface Messages {
  /**
   * Receives messages by name (`notice`) or pattern of names (`chat:*`, `*`). Returns an unsubscribe function.
   *
   * @throws {RealtimeError} `INVALID_VALUE` for an invalid name, `CLOSED`.
   */
  subscribe<Data = JsonValue>(name: string, listener: (data: Data, context: MessageContext) => void): () => void
}

/**
 * The messages of server code: `realtime.broadcast`, `realtime.rooms.broadcast`, `realtime.user(id).send`,
 * `realtime.connection(id).send`.
 *
 * @example
 * const stop = messages(client).subscribe('notice', (text) => show(text))
 */
export const messages = ({ internals }: Pick<RealtimeClient, 'internals'>): Messages => ({
  subscribe: <Data>(name: string, listener: (data: Data, context: MessageContext) => void) => {
    if (internals.isClosed()) throw new RealtimeError('CLOSED')
    const receiver: { run(data: unknown, context: MessageContext): void } = { run: listener }
    return messageHubOf(internals).listen(assertName(isSubscribable, name, 'INVALID_VALUE'), (message) =>
      receiver.run(message.data, { name: message.name, room: message.room }),
    )
  },
})
