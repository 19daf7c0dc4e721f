import { createMemoryLogs, createRedisLogs } from '@tutti/coordination/logs'
import type { PubSub } from '@tutti/pubsub'
import type { CreateLogs } from '../../durable/durable-options.ts'
import { hasLink } from './default-coordination.ts'

/** Makes the logs of durable channels from the link to Redis, or in memory without a `pubsub`; `undefined` with another `PubSub`. */
export const createDefaultLogs =
  (pubsub: PubSub | undefined): CreateLogs =>
  (pattern, limits, onError) => {
    if (pubsub === undefined) return createMemoryLogs({ ...limits, pattern, onError })
    return hasLink(pubsub) ? createRedisLogs({ ...limits, pattern, onError, link: pubsub.link }) : undefined
  }
