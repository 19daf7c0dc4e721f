import { RealtimeError } from '@tutti/protocol'
import type { ScriptReply } from './link-contract.ts'

/** A reply of Redis as plain data; throws `INTERNAL` for what the clients' settings should never give (bytes). */
export function parseReply(reply: unknown): ScriptReply {
  if (isReply(reply)) return reply
  throw new RealtimeError('INTERNAL', { message: 'Redis gave a reply that is neither text, number, null nor a list of these.' })
}

const isReply = (reply: unknown): reply is ScriptReply =>
  typeof reply === 'string' || typeof reply === 'number' || reply === null || (Array.isArray(reply) && reply.every(isReply))
