import { RealtimeError } from '@tutti/protocol'
import type { ScriptReply } from '@tutti/pubsub/redis'

/** The reply as a list of parts. Throws `INTERNAL` for anything else. */
export function partsOf(reply: ScriptReply | undefined): readonly ScriptReply[] {
  if (Array.isArray(reply)) return reply
  throw new RealtimeError('INTERNAL', { message: 'Redis sent an unexpected reply of a script.' })
}

/** The reply as a list of texts. */
export const textsOf = (reply: ScriptReply | undefined): string[] => partsOf(reply).map(String)
