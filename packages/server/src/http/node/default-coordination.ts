import { createMemoryCoordination, createRedisCoordination, type CoordinationErrorContext } from '@tutti/coordination'
import type { Coordination } from '@tutti/coordination/contract'
import type { PubSub, RealtimePubSub } from '@tutti/pubsub'
import type { ServerErrorListener } from '../../feature.ts'
import type { PresenceSettings } from '../../presence/presence-options.ts'

/** What presence and locks need, made from the link to Redis, or in memory without a `pubsub`; `undefined` with another `PubSub`. */
export function createDefaultCoordination(
  pubsub: PubSub | undefined,
  { maxMembers, overflow, graceMs }: PresenceSettings,
  base: string | undefined,
  onError: ServerErrorListener,
): Coordination | undefined {
  const options = {
    ...{ maxMembers, overflow, graceMs },
    onError: (error: unknown, { stage, room }: CoordinationErrorContext) =>
      onError(error, { stage: stage === 'locks' ? 'locks' : stage === 'command' ? 'rooms' : 'presence', subject: room }),
  }
  if (pubsub === undefined) return createMemoryCoordination(options)
  return hasLink(pubsub) ? createRedisCoordination(pubsub.link, { ...options, base, instanceId: pubsub.instanceId }) : undefined
}

/** Whether it is a `RealtimePubSub`. */
export const hasLink = (pubsub: PubSub): pubsub is RealtimePubSub => 'link' in pubsub
