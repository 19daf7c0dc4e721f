import type { Requests, RequestName } from '@tutti/protocol'
import { parseMessage, type MessageSchema } from '@tutti/protocol/schemas'
import type { Verdict } from '../authorization/authorization-cache.ts'
import type { Act } from '../authorization/admission-queue.ts'
import type { Access } from '../authorization/authorize.ts'
import type { Connection } from './connection.ts'

/** What a handler knows beside the message. */
export interface RequestContext {
  readonly connection: Connection
  /** Acts once all of it is allowed, in the order of the connection's messages; else refuses (X2). */
  readonly admit: <Result>(accesses: readonly Access[], act: Act<Result>) => Result | Promise<Result>
  /** The verdict on something that the message did not ask for; never rejects. */
  readonly decide: (access: Access) => Verdict | Promise<Verdict>
  /** Tells whether no rights of the connection were taken away since that verdict. */
  readonly isCurrent: (verdict: Verdict) => boolean
  /** Runs right before the reply is handed to the socket, whatever the reply is. */
  readonly beforeReply: (action: () => void) => void
  /** Runs after the reply was handed to the socket and before anything else can be: what must follow the reply. */
  readonly afterReply: (action: () => void) => void
}

/** Answers one kind of message. It throws a `RealtimeError` to refuse; one wrapper makes replies of both. */
export interface Handler<Name extends RequestName = RequestName> {
  readonly name: Name
  answer(message: unknown, context: RequestContext): Requests[Name]['result'] | Promise<Requests[Name]['result']>
}

/**
 * A handler in its one shape: the schema parses, `asks` names all that the message asks for (nothing: `() => []`), `act`
 * does it once that is allowed and gives back the reply. Where nothing has to be waited for, `act` starts in the turn in
 * which the message arrived, and always in the order of the client's messages (E4). It gets a verdict for each thing that
 * was asked for, all of them a yes; for a pattern or prefix that may be `each`.
 */
export function defineHandler<Name extends RequestName>(
  name: Name,
  schema: MessageSchema<Requests[Name]['payload']>,
  asks: (message: Requests[Name]['payload']) => readonly Access[],
  act: (
    message: Requests[Name]['payload'],
    context: RequestContext,
    verdicts: readonly Verdict[],
  ) => Requests[Name]['result'] | Promise<Requests[Name]['result']>,
): Handler<Name> {
  return {
    name,
    answer: (raw, context) => {
      const message = parseMessage(schema, raw)
      return context.admit<Requests[Name]['result']>(asks(message), (verdicts) => act(message, context, verdicts))
    },
  }
}
