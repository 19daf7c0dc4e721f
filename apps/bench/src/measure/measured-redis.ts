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
  /** Commands so far, also those of scripts, and bytes to and from clients. */
  traffic(): Promise<{ commands: number; bytes: number }>
  /** Subscribers of a channel. */
  subscribers(channel: string): Promise<number>
  stop(): Promise<void>
}

/** Starts a Redis on a free port. */
export async function startMeasuredRedis(args: readonly string[] = []): Promise<MeasuredRedis> {
  const redis = await startRedis({ args })
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
    traffic: async () => {
      const info = await admin.info('stats')
      const stat = (name: string): number => Number(info.match(new RegExp(`^${name}:(\\d+)`, 'm'))?.[1] ?? 0)
      return {
        commands: stat('total_commands_processed'),
        bytes: stat('total_net_input_bytes') + stat('total_net_output_bytes'),
      }
    },
    subscribers: async (channel) => Number((await admin.pubsub('NUMSUB', channel))[1]),
    stop: async () => {
      admin.disconnect()
      await redis.stop()
    },
  }
}
