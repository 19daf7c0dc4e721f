import { RealtimeError } from '@tutti/protocol'
import { parseMessage, type MessageSchema } from '@tutti/protocol/internal/schemas'

/**
 * A message of another instance; throws `INVALID_MESSAGE` for a message that no instance could have sent, which the pubsub
 * drops, counts and reports (N4).
 */
export function parseRelayMessage<Message>(schema: MessageSchema<Message>, text: string): Message {
  try {
    return parseMessage(schema, JSON.parse(text))
  } catch (cause) {
    throw new RealtimeError('INVALID_MESSAGE', {
      message: 'Dropped a message from Redis that no Tutti instance sent. Another application may use the same prefix.',
      cause,
    })
  }
}
