import { monitorRedis, type MonitoredCommand, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'

/** Observes the complete contents of a Redis, and all its commands. */
export interface RedisWitness {
  readonly client: Redis
  /** The contents: a digest of each key's value, and whether it expires. */
  contents(): Promise<Map<string, string>>
  /** The names accessed since the last call, by commands and by scripts: keys, and Redis channels. */
  touched(): Promise<Set<string>>
  close(): void
}

const CONTENTS = `
local all = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  all[#all + 1] = key
  all[#all + 1] = redis.sha1hex(redis.call('DUMP', key)) .. (redis.call('PTTL', key) >= 0 and ' ends' or '')
end
return all`

/** Commands that name nothing. */
const NAMELESS = new Set(['ping', 'info', 'time', 'hello', 'client', 'select', 'script', 'monitor', 'quit'])

/** Watches a Redis. */
export async function witness(redis: TestRedis): Promise<RedisWitness> {
  const client = new Redis(redis.url)
  const monitor = await monitorRedis(redis)
  return {
    client,
    contents: async () => {
      const all = await client.eval(CONTENTS, 0)
      if (!Array.isArray(all)) throw new TypeError('no list')
      return new Map(all.flatMap((key: unknown, index) => (index % 2 === 0 ? [[String(key), String(all[index + 1])] as const] : [])))
    },
    touched: async () => new Set((await monitor.commands()).flatMap(namesOf)),
    close: () => {
      monitor.close()
      client.disconnect()
    },
  }
}

function namesOf({ name, args }: MonitoredCommand): readonly string[] {
  if (NAMELESS.has(name)) return []
  if (name === 'evalsha' || name === 'eval') return args.slice(2, 2 + Number(args[1]))
  return args.slice(0, 1)
}
