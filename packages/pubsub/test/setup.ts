import { RealtimePubSub, type RealtimePubSubOptions } from '@tutti/pubsub'
import { startRedis, startTcpProxy, type TcpProxy, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { connect as openSocket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A Redis for one test. */
export async function testRedis(args: readonly string[] = [], users?: string): Promise<TestRedis> {
  const redis = await startRedis(users === undefined ? { args } : { args, users })
  onTestFinished(() => redis.stop())
  return redis
}

/** A TCP proxy before a Redis, for one test. */
export async function faultProxy(target: TestRedis): Promise<TcpProxy> {
  const proxy = await startTcpProxy(target)
  onTestFinished(() => proxy.close())
  return proxy
}

/** A pubsub for one test with its reported errors; it may not be ready yet. */
export function connect(options: RealtimePubSubOptions): { pubsub: RealtimePubSub; errors: { error: unknown; stage: string }[] } {
  const errors: { error: unknown; stage: string }[] = []
  const pubsub = new RealtimePubSub({ onError: (error, { stage }) => errors.push({ error, stage }), ...options })
  onTestFinished(() => pubsub.dispose())
  return { pubsub, errors }
}

/** A plain client to inspect Redis. */
export function observer(redis: TestRedis): Redis {
  const client = new Redis(redis.port, redis.host, { connectionName: 'observer' })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

/** Settles when Redis has closed a silent connection that was opened now. */
export async function closedAsIdle({ port, host }: TestRedis): Promise<void> {
  await new Promise<void>(
    (resolve) =>
      void openSocket(port, host)
        .on('error', () => {})
        .on('close', resolve)
        .resume(),
  )
}

/** The lines of CLIENT LIST, as objects, without observers. */
export async function clientList(client: Redis): Promise<Record<string, string>[]> {
  const text = String(await client.client('LIST'))
  const clients = text
    .trim()
    .split('\n')
    .map((line) =>
      Object.fromEntries(line.split(' ').map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)])),
    )
  return clients.filter(({ name }) => name !== 'observer')
}

/** How often Redis has executed each command. */
export async function commandCalls(client: Redis): Promise<Record<string, number>> {
  const stats = await client.info('commandstats')
  return Object.fromEntries([...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, calls]) => [name, Number(calls)]))
}
