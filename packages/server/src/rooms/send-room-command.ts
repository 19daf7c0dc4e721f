import type { CommandOptions, CommandReplies, Commands } from '@tutti/coordination/contract'
import type { RoomCommand, RoomResult } from '@tutti/protocol/internal'
import { roomResultSchema } from '@tutti/protocol/internal/schemas'
import { parseRelayMessage } from '../parse-relay-message.ts'

/** Makes the function that sends commands and parses their replies. A reply that does not parse is that of a missing instance. */
export const sendRoomCommand =
  ({ send }: Pick<Commands, 'send'>) =>
  async (command: RoomCommand, options: CommandOptions) => {
    const { replies, missing } = await send(JSON.stringify(command), options)
    return resultsOf(replies, missing)
  }

function resultsOf(replies: CommandReplies['replies'], missing: readonly string[]) {
  const results = new Map<string, RoomResult>()
  const failed: string[] = []
  for (const [instance, text] of replies) {
    try {
      results.set(instance, parseRelayMessage(roomResultSchema, text))
    } catch {
      failed.push(instance)
    }
  }
  return { results, missing: [...missing, ...failed] }
}
