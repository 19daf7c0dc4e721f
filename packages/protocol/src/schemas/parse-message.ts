import * as v from 'valibot'
import { RealtimeError } from '../realtime-error.ts'

const MAX_ISSUES = 5

/** A schema of one message, by what it gives back. */
export type MessageSchema<Message> = v.GenericSchema<unknown, Message>

/** The message as its schema describes it, without unknown fields; throws `INVALID_MESSAGE` with what is wrong, by path (X4). */
export function parseMessage<Message>(schema: MessageSchema<Message>, message: unknown): Message {
  const result = v.safeParse(schema, message)
  if (result.success) return result.output
  const issues = result.issues.slice(0, MAX_ISSUES).map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message }))
  throw new RealtimeError('INVALID_MESSAGE', { issues })
}
