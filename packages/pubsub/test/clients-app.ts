// An application that passes its own clients. Compiled against ioredis 5 here, and against both versions by
// scripts/types-with-ioredis.mjs, in the same way as users compile it.
import { RealtimePubSub } from '@tutti/pubsub'
import { redisOptions } from '@tutti/pubsub/redis'
import { createRedisLink } from '../src/redis/redis-link.ts'
import { Redis } from 'ioredis'

const url = 'redis://localhost:6379'
const connect = (connectionName: string): Redis => new Redis(url, { ...redisOptions({ commandTimeoutMs: 2_000 }), connectionName })

export const pubsub = new RealtimePubSub({ clients: { pub: connect('pub'), sub: new Redis({ host: 'localhost', ...redisOptions() }) } })
export const link = createRedisLink({ clients: { pub: connect('pub'), sub: connect('sub') } }, 'an instance')
