import type { Redis } from 'ioredis'

const NAMES = ['evalsha', 'eval', 'subscribe', 'publish', 'srem', 'sadd', 'smembers', 'keys', 'scan']

/** The commands that instances send during the work, by name. What scripts call counts too. */
export async function commandsOf(client: Redis, work: () => Promise<unknown>): Promise<Record<string, number>> {
  await client.config('RESETSTAT')
  await work()
  const stats = await client.info('commandstats')
  const counts = [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name = '', count]) => [name, Number(count)] as const)
  return Object.fromEntries(counts.filter(([name]) => NAMES.includes(name)))
}

/** Settles after so many heartbeats of an instance. */
export async function heartbeatsOf(client: Redis, prefix: string, lease: string, beats: number): Promise<void> {
  const key = `{${prefix}$instances:all}$leases`
  let last = await client.zscore(key, lease)
  for (let count = 0; count < beats;) {
    const score = await client.zscore(key, lease)
    if (score !== last) count += 1
    last = score
  }
}
