import { RealtimeError } from '@tutti/protocol'
import { parseMessage, type MessageSchema } from '@tutti/protocol/schemas'

/** What another instance published; throws `INVALID_MESSAGE` for whatever no instance could have, which the pubsub drops, counts and reports (N4). */
export function parseRelayMessage<Message>(schema: MessageSchema<Message>, text: string): Message {
  try {
    return parseMessage(schema, JSON.parse(text))
  } catch (cause) {
    throw new RealtimeError('INVALID_MESSAGE', { message: 'Dropped a message from Redis: it was not sent by a Tutti instance.', cause })
  }
}
