import { Redis } from 'ioredis'
import type { TestRedis } from '@tutti/test-kit'

/** The names of the commands that clients send to a Redis while the work is done; not those that scripts call. */
export async function monitor(redis: TestRedis, work: () => Promise<void>): Promise<string[]> {
  const watcher = new Redis(redis.url)
  const marker = new Redis(redis.url)
  const feed = await watcher.monitor()
  const names: string[] = []
  const end = `end ${Math.random()}`
  const ended = new Promise<void>((resolve) => {
    feed.on('monitor', (_time: string, args: string[], source: string) => {
      if (args[0] === 'echo' && args[1] === end) resolve()
      else if (source !== 'lua') names.push((args[0] ?? '').toLowerCase())
    })
  })
  // What these two say at their start is over before the work begins.
  await Promise.all([watcher.ping(), marker.ping()])
  names.length = 0
  await work()
  await marker.echo(end)
  await ended
  feed.disconnect()
  watcher.disconnect()
  marker.disconnect()
  return names
}
