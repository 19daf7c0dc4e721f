import type { Requests, RequestName } from '@tutti/protocol'
import { parseMessage, type MessageSchema } from '@tutti/protocol/internal/schemas'
import type { AccessControl } from '../authorization/access-control.ts'
import type { Verdict } from '../authorization/authorization-cache.ts'
import type { Access } from '../authorization/authorize.ts'
import type { Connection } from './connection.ts'
import type { ReplyEncoding } from './shared-reply.ts'

/** What belongs to a reply apart from its result. */
type ReplyPlace = Pick<PlacedReply<object>, 'before' | 'after' | 'encoding'>

const nothing = (): void => {}

const NOTHING: readonly Access[] = []

/** A result whose reply has a place among the notices that the connection is sent. */
export class PlacedReply<Result extends object> {
  readonly result: Result | Promise<Result>
  /** Runs directly before every reply, also a refusal. It may still change the result. */
  readonly before: () => void
  /** Runs directly after the reply was sent, and before anything else is. */
  readonly after: () => void
  /** How the reply is encoded: once for many connections, or with bytes. Default: as JSON. */
  readonly encoding: ReplyEncoding | undefined

  constructor(result: Result | Promise<Result>, { before = nothing, after = nothing, encoding }: Partial<ReplyPlace> = {}) {
    this.result = result
    this.before = before
    this.after = after
    this.encoding = encoding
  }
}

/** What a handler returns. It throws or rejects with a `RealtimeError` to refuse. */
export type Returned<Result extends object> = Result | PlacedReply<Result> | Promise<Result | PlacedReply<Result>>

/** Answers one kind of message. */
export interface Handler<Name extends RequestName = RequestName> {
  readonly name: Name
  answer(message: unknown, connection: Connection, access: AccessControl): Returned<Requests[Name]['result']>
}

/**
 * A handler in its one shape: the schema parses, `accesses` names all that the message requests (nothing: `() => []`), `act`
 * does it once that is allowed, and returns the result. Where nothing has to be waited for, `act` starts in the turn in which
 * the message arrived, and always in the order of the client's messages. It gets a verdict for each access, all of
 * them a yes; for a pattern or prefix that may be `each`. Without `authorize` it gets none.
 */
export function defineHandler<Name extends RequestName>(
  name: Name,
  schema: MessageSchema<Requests[Name]['payload']>,
  accesses: (message: Requests[Name]['payload']) => readonly Access[],
  act: (message: Requests[Name]['payload'], connection: Connection, verdicts: readonly Verdict[]) => Returned<Requests[Name]['result']>,
): Handler<Name> {
  return {
    name,
    answer: (raw, connection, access) => {
      const message = parseMessage(schema, raw)
      return access.admit<Requests[Name]['result'] | PlacedReply<Requests[Name]['result']>>(
        connection,
        access.isOpen ? NOTHING : accesses(message),
        (verdicts) => act(message, connection, verdicts),
      )
    },
  }
}
