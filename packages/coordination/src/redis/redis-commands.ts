import type { RedisLink } from '@tutti/pubsub/redis'
import { createCommandHandler } from '../commands/command-handler.ts'
import { parseCommand, repliesMessage, type CommandMessage, type CommandReply } from '../commands/command-message.ts'
import { createOpenCalls } from '../commands/open-calls.ts'
import type { Commands } from '../contract.ts'
import type { CoordinationSettings } from '../coordination-options.ts'
import type { ClockBounds } from './clock-bounds.ts'
import { createSender } from './command-sender.ts'
import type { RedisLayout } from './redis-layout.ts'

/** What commands need. */
export interface RedisCommandsOptions {
  link: RedisLink
  layout: RedisLayout
  instanceId: string
  clock: ClockBounds
  onError: CoordinationSettings['onError']
}

/** The commands of one instance: it sends, receives and replies. */
export interface RedisCommands extends Commands {
  close(): void
}

/** Begins to receive commands. */
export function createRedisCommands({ link, layout, instanceId, clock, onError }: RedisCommandsOptions): RedisCommands {
  const calls = createOpenCalls()
  const sender = createSender({ link, layout, instanceId, calls, clock, onError })
  const handler = createCommandHandler(onError)
  /** Replies of this turn, by sender. */
  const replies = new Map<string, CommandReply[]>()

  const flush = (): void => {
    for (const [to, list] of replies) link.publish(layout.replies(to), repliesMessage(instanceId, list)).catch(() => {})
    replies.clear()
  }
  const reply = (to: string, content: CommandReply): void => {
    if (to === instanceId) return calls.receive(instanceId, content)
    if (replies.size === 0) queueMicrotask(flush)
    replies.set(to, [...(replies.get(to) ?? []), content])
  }
  const run = async ({ deadline, timeoutMs, from, id, confirm, text }: CommandMessage): Promise<void> => {
    const lateMs = clock.latest() - deadline
    const result = await handler.run({ text, ageMs: timeoutMs + lateMs, isLate: lateMs > 0 })
    if (confirm) reply(from, { id, result })
  }
  const subscription = link.subscribe(layout.commands, (message) => {
    try {
      void run(parseCommand(message))
    } catch (error) {
      onError(error, { stage: 'message' })
    }
  })
  const ready = Promise.all([sender.ready, subscription.ready]).then(() => {})
  ready.catch(() => {})

  return {
    ready,
    send: sender.send,
    handle: handler.handle,
    close: () => {
      subscription()
      sender.close()
    },
  }
}
