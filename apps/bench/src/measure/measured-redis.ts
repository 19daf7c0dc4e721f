import { startRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'

/** A Redis of its own, and what it reports of itself. */
export interface MeasuredRedis {
  readonly url: string
  readonly address: { host: string; port: number }
  /** CPU used so far, milliseconds. */
  cpuMs(): Promise<number>
  /** Calls so far of these commands, together. */
  calls(names: readonly string[]): Promise<number>
  /** Subscribers of a channel. */
  subscribers(channel: string): Promise<number>
  stop(): Promise<void>
}

/** Starts a Redis on a free port. */
export async function startMeasuredRedis(): Promise<MeasuredRedis> {
  const redis = await startRedis()
  const admin = new Redis(redis.url)
  return {
    url: redis.url,
    address: { host: redis.host, port: redis.port },
    cpuMs: async () => {
      const info = await admin.info('cpu')
      const seconds = [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].map(([, number]) => Number(number))
      return seconds.reduce((sum, part) => sum + part * 1000, 0)
    },
    calls: async (names) => {
      const info = await admin.info('commandstats')
      return names.reduce((sum, name) => sum + Number(info.match(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm'))?.[1] ?? 0), 0)
    },
    subscribers: async (channel) => Number((await admin.pubsub('NUMSUB', channel))[1]),
    stop: async () => {
      admin.disconnect()
      await redis.stop()
    },
  }
}
