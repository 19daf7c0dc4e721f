import { once } from 'node:events'
import { serveInstance } from '@tutti/test-kit/instance'
import { Redis } from 'ioredis'

// A control for instances without subscribers: an ioredis subscriber of the same channel that drops each message.

// Also while it waits for Redis.
process.once('disconnect', () => process.exit(0))
const sub = new Redis(process.env['REDIS_URL'] ?? '')
await once(sub, 'ready')
let messages = 0
sub.on('message', () => (messages += 1))
sub.on('pmessage', () => (messages += 1))

serveInstance(
  {},
  {
    subscribe: (channel: string) => (channel.includes('*') ? sub.psubscribe(channel) : sub.subscribe(channel)),
    cpu: () => process.cpuUsage(),
    messages: () => messages,
  },
)
process.once('SIGTERM', () => process.exit(0))
