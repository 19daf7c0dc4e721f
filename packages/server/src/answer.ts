import { RealtimeError, toWireError, type Reply } from '@tutti/protocol'
import type { Connection } from './connection.ts'
import type { ServerErrorListener } from './feature.ts'
import type { Handler } from './handler.ts'

/** How a reply leaves: Socket.IO's acknowledgement. */
export type Acknowledge = (reply: Reply) => void

/**
 * Runs a handler and replies, whatever happens: a refusal with its code, anything else as `INTERNAL` and to `onError`
 * (X4, X7). The one wrapper around every handler, so that none needs a try/catch of its own.
 */
export async function answer(
  handler: Handler,
  connection: Connection,
  message: unknown,
  acknowledge: Acknowledge,
  onError: ServerErrorListener,
): Promise<void> {
  const following: (() => void)[] = []
  try {
    const result = await handler.answer(message, { connection, afterReply: (action) => void following.push(action) })
    acknowledge({ ok: true, ...result })
  } catch (error) {
    if (!(error instanceof RealtimeError) || error.code === 'INTERNAL') onError(error, { stage: 'handler', subject: handler.name })
    acknowledge({ ok: false, error: toWireError(error) })
  }
  for (const action of following) action()
}
