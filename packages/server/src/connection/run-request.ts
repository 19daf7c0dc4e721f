import { RealtimeError, toWireError, type Reply, type RequestName, type Requests } from '@tutti/protocol'
import { toError } from '@tutti/protocol/internal'
import type { Core } from '../feature.ts'
import type { Requester } from './connection.ts'
import { PlacedReply, type Handler, type Returned } from './handler.ts'
import type { RequestLimits } from './request-limits.ts'
import type { ReplyEncoding } from './shared-reply.ts'

/** What a request needs of the core. */
export interface RequestCore extends Pick<Core, 'access' | 'onError'> {
  readonly requests: Pick<RequestLimits, 'begin'>
}

/** Sends a reply. Called once for each request. */
export type SendReply<Result extends object = object> = (reply: Reply<Result>, encoding?: ReplyEncoding) => void

/**
 * Runs a handler and replies in every case: a refusal with its code, anything else as `INTERNAL` and to `onError` (X4,
 * X7). The one wrapper around every handler, so that none needs a try/catch of its own.
 *
 * A request without anything to wait for is replied to at once, and any other one callback after its result settles, so
 * replies leave in the order in which results settle: for writes that is the order in which the store executed them.
 */
export function runRequest<Name extends RequestName>(
  handler: Handler<Name>,
  connection: Requester,
  message: unknown,
  sendReply: SendReply<Requests[Name]['result']>,
  { access, requests, onError }: RequestCore,
): void {
  type Result = Requests[Name]['result']
  let end = (): void => {}
  let placed: PlacedReply<Result> | undefined

  const reply = (content: Reply<Result>, encoding?: ReplyEncoding): void => {
    sendReply(content, encoding)
    placed?.after()
    end()
  }
  const report = (error: Error): void => {
    if (!(error instanceof RealtimeError) || error.code === 'INTERNAL') onError(error, { stage: 'handler', subject: handler.name })
  }
  const refuse = (error: Error): void => {
    report(error)
    reply({ ok: false, error: toWireError(error) })
  }
  const succeed = (result: Result): void => {
    try {
      placed?.before()
    } catch (thrown) {
      return refuse(toError(thrown))
    }
    reply({ ok: true, ...result }, placed?.encoding)
  }
  const fail = (thrown: unknown): void => {
    const error = toError(thrown)
    report(error)
    try {
      placed?.before()
    } catch (alsoThrown) {
      report(toError(alsoThrown))
    }
    reply({ ok: false, error: toWireError(error) })
  }
  const settle = (returned: Result | PlacedReply<Result> | Promise<Result>): void => {
    if (returned instanceof PlacedReply) {
      placed = returned
      settle(returned.result)
    } else if (returned instanceof Promise) returned.then(succeed, fail)
    else succeed(returned)
  }

  let returned: Returned<Result>
  try {
    end = requests.begin(connection, handler.name)
    returned = handler.answer(message, connection, access)
  } catch (thrown) {
    return fail(thrown)
  }
  // Authorization that is waited for returns a promise of a reply with a place.
  if (returned instanceof Promise) returned.then(settle, fail)
  else settle(returned)
}
