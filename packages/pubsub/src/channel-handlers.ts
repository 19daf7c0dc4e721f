import { RealtimeError } from '@tutti/protocol'
import { callSafely } from '@tutti/protocol/internal'
import type { MessageHandler } from './contract.ts'
import { senderOf } from './message-frame.ts'
import type { Report } from './report.ts'

/** The handlers of one channel. The instance's own messages (N2) and invalid messages (N4) are dropped before them. */
export interface ChannelHandlers {
  readonly isEmpty: boolean
  /** Adds a handler. Returns an unsubscribe function. */
  add(handler: MessageHandler): () => void
  receive(text: string): void
}

/** Creates the handlers of one channel. `onDropped` runs once for each message that does not parse. */
export function createChannelHandlers({ channel, instanceId, report, onDropped }: ChannelHandlersOptions): ChannelHandlers {
  const handlers = new Set<{ handler: MessageHandler }>()

  const deliver = (text: string): void => {
    let dropped = false
    const onError = (error: unknown): void => {
      const stage = isParseError(error) ? 'message' : 'handler'
      report(error, { stage, channel })
      // Several handlers that fail to parse the same message count as one dropped message.
      if (stage === 'handler' || dropped) return
      dropped = true
      onDropped()
    }
    const current = [...handlers]
    for (const { handler } of current) callSafely(() => handler(text), onError)
  }

  return {
    get isEmpty() {
      return handlers.size === 0
    },
    add: (handler) => {
      const registration = { handler }
      handlers.add(registration)
      return () => void handlers.delete(registration)
    },
    receive: (text) => {
      const sender = senderOf(text, instanceId)
      if (sender === 'other') return deliver(text)
      if (sender === 'self') return
      onDropped()
      report(new RealtimeError('INVALID_MESSAGE', { message: `Dropped a message on channel ${channel}: it is not a JSON object.` }), {
        stage: 'message',
        channel,
      })
    },
  }
}

/** Options of the handlers of a channel. */
export interface ChannelHandlersOptions {
  channel: string
  instanceId: string
  report: Report
  onDropped: () => void
}

/** `JSON.parse` and `parseMessage` throw these errors in a handler that receives an invalid message. */
const isParseError = (error: unknown): boolean =>
  error instanceof SyntaxError || (error instanceof RealtimeError && error.code === 'INVALID_MESSAGE')
