import * as v from 'valibot'
import { RealtimeError } from '../realtime-error.ts'

/** An issue quotes its input, which may be as long as the message. */
const MAX_ISSUE_CHARACTERS = 200

/** The schema of one message, by the type of its result. */
export type MessageSchema<Message> = v.GenericSchema<unknown, Message>

/**
 * The message as its schema describes it, without unknown fields. Throws `INVALID_MESSAGE` with the first issue, by path.
 * Only the first: a message of a megabyte can have 300,000 issues, which would block the process for a second.
 */
export function parseMessage<Message>(schema: MessageSchema<Message>, message: unknown): Message {
  const result = v.safeParse(schema, message, { abortEarly: true })
  if (result.success) return result.output
  const issues = result.issues.map((issue) => ({
    path: v.getDotPath(issue) ?? '',
    message: issue.message.slice(0, MAX_ISSUE_CHARACTERS),
  }))
  throw new RealtimeError('INVALID_MESSAGE', { message: 'Invalid message: see `issues`.', issues })
}
