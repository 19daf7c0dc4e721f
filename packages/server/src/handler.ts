import type { Requests, RequestName } from '@tutti/protocol'
import { parseMessage, type MessageSchema } from '@tutti/protocol/schemas'
import type { Connection } from './connection.ts'

/** What a handler knows beside the message. */
export interface RequestContext {
  readonly connection: Connection
  /** Runs right before the reply is handed to the socket, whatever the reply is. */
  readonly beforeReply: (action: () => void) => void
  /** Runs after the reply was handed to the socket and before anything else can be: what must follow the reply. */
  readonly afterReply: (action: () => void) => void
}

/** Answers one kind of message. It throws a `RealtimeError` to refuse; one wrapper makes replies of both. */
export interface Handler {
  readonly name: RequestName
  answer(message: unknown, context: RequestContext): object | Promise<object>
}

/**
 * A handler in its one shape: the schema parses, `act` does it and gives back the reply. `act` starts in the turn in
 * which the message arrived, so that what one client sends in order begins in order (E4).
 */
export function defineHandler<Name extends RequestName>(
  name: Name,
  schema: MessageSchema<Requests[Name]['payload']>,
  act: (message: Requests[Name]['payload'], context: RequestContext) => Requests[Name]['result'] | Promise<Requests[Name]['result']>,
): Handler {
  return { name, answer: (message, context) => act(parseMessage(schema, message), context) }
}
