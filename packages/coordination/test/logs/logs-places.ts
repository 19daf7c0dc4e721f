import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { startRedis, type DocumentedAcl } from '@tutti/test-kit'
import { createDriverLogs, createMemoryLogs, createRedisLogs, type LogDriver } from '../../src/logs/index.ts'
import type { LogsUnderTest } from '../../src/testing/index.ts'

/** Two instances that reach one Redis; `stop` ends it. */
export async function logsAt(place: RealtimePubSubOptions, stop: () => Promise<void>): Promise<LogsUnderTest> {
  const pubsubs = [new RealtimePubSub(place), new RealtimePubSub(place)]
  await Promise.all(pubsubs.map(({ link }) => link.ready))
  return {
    open: (options) => {
      const [logs, other] = pubsubs.map(({ link }) => createRedisLogs({ link, ...options }))
      if (logs === undefined || other === undefined) throw new Error('There are two.')
      return { logs, other }
    },
    dispose: async () => {
      await Promise.all(pubsubs.map((pubsub) => pubsub.dispose()))
      await stop()
    },
  }
}

/** Two instances on one Redis of their own. */
export async function redisLogs(acl?: DocumentedAcl): Promise<LogsUnderTest> {
  const redis = await startRedis(acl)
  const url = acl === undefined ? redis.url : redis.url.replace('//', `//${acl.credentials}@`)
  return logsAt({ url }, () => redis.stop())
}

/** One process. */
export const memoryLogs = async (): Promise<LogsUnderTest> => ({
  open: (options) => {
    const logs = createMemoryLogs(options)
    return { logs, other: logs }
  },
  dispose: async () => {},
})

/** A driver that keeps its items in a map. */
export function mapDriver(items = new Map<string, string>()): LogDriver {
  return {
    getItem: async (key) => items.get(key) ?? null,
    setItem: async (key, value) => void items.set(key, value),
    removeItem: async (key) => void items.delete(key),
    getKeys: async () => [...items.keys()],
  }
}

/** One process that stores its logs. */
export const driverLogs = async (): Promise<LogsUnderTest> => ({
  open: (options) => {
    const logs = createDriverLogs(mapDriver(), options)
    return { logs, other: logs }
  },
  dispose: async () => {},
})
