import { RealtimePubSub } from '@tutti/pubsub'
import { serveInstance } from '@tutti/test-kit/instance'
import { createRedisLogs, createWorkers } from '../../src/logs/index.ts'

// Processes jobs until it is killed, without Socket.IO.

const pubsub = new RealtimePubSub({ url: process.env['REDIS_URL'] ?? '' })
const { link } = pubsub
await link.ready
const logs = createRedisLogs({ link, pattern: 'jobs:*', groups: ['g'] })
createWorkers(logs, { group: 'g', concurrency: 5, visibilityMs: 300, minRetryMs: 1, maxRetryMs: 5 }, async ({ data }) => {
  if (JSON.stringify(data) === process.env['POISON']) throw new Error('poison')
  await new Promise((resolve) => void setTimeout(resolve, 5))
  await link.command('HINCRBY', 'effects', JSON.stringify(data), 1)
})
serveInstance({}, {})
