import { safeErrorListener } from '@tutti/protocol/internal'
import type { RedisLink } from '@tutti/pubsub/redis'
import { commandMessage, parseReplies } from '../commands/command-message.ts'
import { createOpenCalls, type OpenCalls } from '../commands/open-calls.ts'
import type { Commands } from '../contract.ts'
import type { CoordinationOptions, CoordinationSettings } from '../coordination-options.ts'
import { createClockBounds, type ClockBounds } from './clock-bounds.ts'
import { redisLayout, type RedisLayout } from './redis-layout.ts'
import { partsOf, textsOf } from './script-reply.ts'

/**
 * Publishes a command, and returns the leases of that moment, so that list and command are of one time.
 *
 * KEYS 1 leases. ARGV 1 Redis channel  2 message. Reply: time in milliseconds, leases.
 */
const SEND = `
redis.call('PUBLISH', ARGV[1], ARGV[2])
local time = redis.call('TIME')
return { string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), redis.call('ZRANGE', KEYS[1], 0, -1) }
`

/** Sends commands to all instances, from a process that is none: without a lease. */
export interface CommandSender extends Pick<Commands, 'ready' | 'send'> {
  /** Ends the calls that wait with `CLOSED`. The link stays open. */
  close(): void
}

/** What a sender needs. */
export interface CommandSenderContext {
  link: RedisLink
  layout: RedisLayout
  instanceId: string
  calls: OpenCalls
  clock: ClockBounds
  onError: CoordinationSettings['onError']
}

/** The instance of a lease. */
const instanceOf = (lease: string): string => lease.replace(/\.\d+$/, '')

/** Makes a sender over the calls of this process. */
export function createSender({ link, layout, instanceId, calls, clock, onError }: CommandSenderContext): CommandSender {
  const script = link.script(SEND)
  const subscription = link.subscribe(layout.replies(instanceId), (message) => {
    try {
      const { from, replies } = parseReplies(message)
      for (const reply of replies) calls.receive(from, reply)
    } catch (error) {
      onError(error, { stage: 'message' })
    }
  })
  return {
    ready: subscription.ready,
    send: (text, { timeoutMs, confirm }) => {
      // No instance may deliver after the call has ended, so the deadline is rather too early.
      const deadline = clock.earliest() + timeoutMs
      const call = calls.open(timeoutMs)
      const message = commandMessage({ deadline, timeoutMs, from: instanceId, id: call.id, confirm, text })
      // The same promise for all calls, which keeps their order.
      subscription.ready
        .then(async () => {
          if (call.isOver) return
          call.sending()
          const sentMs = performance.now()
          const [now, leases] = partsOf(await script.run([layout.leases[0]], [layout.redisCommands, message]))
          clock.sample(sentMs, Number(now))
          call.sent(confirm ? textsOf(leases).map(instanceOf) : [])
        })
        .catch((error: unknown) => call.fail(error))
      return call.result
    },
    close: () => {
      calls.close()
      subscription()
    },
  }
}

/** Makes a sender for a process without a lease, such as a worker. `id` is unique in the cluster. */
export function createCommandSender(link: RedisLink, id: string, { onError }: Pick<CoordinationOptions, 'onError'> = {}): CommandSender {
  return createSender({
    link,
    layout: redisLayout(link),
    instanceId: encodeURIComponent(id),
    calls: createOpenCalls(),
    clock: createClockBounds(() => link.now()),
    onError: safeErrorListener(onError),
  })
}
