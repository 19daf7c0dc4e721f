import { redisOptions } from '@tutti/pubsub/redis'
import { Redis } from 'ioredis'
import { expect, test } from 'vitest'

test('[N8] the suite runs on the selected ioredis, with RESP2 on both versions', () => {
  const client = new Redis({ lazyConnect: true })
  // ioredis 6 has this option, and uses RESP3 without it.
  expect(Reflect.get(client.options, 'protocol')).toBe(process.env['TUTTI_IOREDIS'] === '6' ? 3 : undefined)
  expect(Reflect.get(new Redis({ lazyConnect: true, ...redisOptions() }).options, 'protocol')).toBe(2)
})
