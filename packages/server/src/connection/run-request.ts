import { RealtimeError, toError, toWireError, type Reply, type RequestName, type Requests } from '@tutti/protocol'
import type { Connection } from './connection.ts'
import type { Core } from '../feature.ts'
import type { Handler, RequestContext } from './handler.ts'
import type { RequestLimits } from './request-limits.ts'

/** What answering needs of the core. */
export interface AnswerContext extends Pick<Core, 'access' | 'onError'> {
  readonly requests: Pick<RequestLimits, 'begin'>
}

/** How a reply leaves: Socket.IO's acknowledgement. */
export type Acknowledge<Result extends object = object> = (reply: Reply<Result>) => void

/**
 * Runs a handler and replies, whatever happens: a refusal with its code, anything else as `INTERNAL` and to `onError`
 * (X4, X7). The one wrapper around every handler, so that none needs a try/catch of its own.
 */
export async function answer<Name extends RequestName>(
  handler: Handler<Name>,
  connection: Connection,
  message: unknown,
  acknowledge: Acknowledge<Requests[Name]['result']>,
  { access, requests, onError }: AnswerContext,
): Promise<void> {
  const preceding: (() => void)[] = []
  const following: (() => void)[] = []
  const context: RequestContext = {
    connection,
    admit: (accesses, act) => access.admit(connection, accesses, act),
    decide: (asked) => access.decide(connection, asked),
    isCurrent: (verdict) => access.isCurrent(connection, verdict),
    beforeReply: (action: () => void) => void preceding.push(action),
    afterReply: (action: () => void) => void following.push(action),
  }
  const reply = await replyOf(
    handler,
    () => {
      following.push(requests.begin(connection, handler.name))
      return handler.answer(message, context)
    },
    onError,
  )
  for (const action of preceding) action()
  acknowledge(reply)
  for (const action of following) action()
}

async function replyOf<Result extends object>(
  { name }: Pick<Handler, 'name'>,
  act: () => Result | Promise<Result>,
  onError: Core['onError'],
): Promise<Reply<Result>> {
  try {
    return { ok: true, ...(await act()) }
  } catch (thrown) {
    const error = toError(thrown)
    if (!(error instanceof RealtimeError) || error.code === 'INTERNAL') onError(error, { stage: 'handler', subject: name })
    return { ok: false, error: toWireError(error) }
  }
}
