import type { RedisLink } from '@tutti/pubsub/redis'
import { listOf } from './reply.ts'

/** How long after its claim a log may still be created. A command has an outcome much earlier. */
const CLAIM_MS = 60_000

const CLAIM = `
-- KEYS 1 index  ARGV 1 log  2 until, ms
redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
`

const FORGET = `
-- KEYS 1 index  ARGV 1 log  2 its claim as it was seen
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if score and tonumber(score) == tonumber(ARGV[2]) then redis.call('ZREM', KEYS[1], ARGV[1]) end
`

/** The logs of a pattern that workers find when they start. It may name too many logs, never too few. */
export interface LogIndex {
  /** Puts a log into the index, before it is created. */
  claim(name: string): Promise<void>
  /** The logs that exist, or may be created now. */
  list(): Promise<string[]>
}

/** Makes the index. `exists`: whether a log has records, in the slot of the log. */
export function createLogIndex(link: RedisLink, index: string, exists: (name: string) => Promise<boolean>): LogIndex {
  const [claim, forget] = [link.script(CLAIM), link.script(FORGET)]
  return {
    claim: async (name) => void (await claim.run([index], [name, Math.ceil(link.now() + CLAIM_MS)])),
    list: async () => {
      const reply = await link.command('ZRANGE', index, 0, -1, 'WITHSCORES')
      const items = listOf(reply).map(String)
      const names: string[] = []
      for (let place = 0; place < items.length; place += 2) {
        const [name = '', until = '0'] = items.slice(place, place + 2)
        if (await exists(name)) names.push(name)
        // No append that has claimed it can still create it.
        else if (Number(until) < link.now() - CLAIM_MS) await forget.run([index], [name, until])
      }
      return names
    },
  }
}
