import { setTimeout as wait } from 'node:timers/promises'
import { createRedisLogs, createWorkers } from '@tutti/coordination/logs'
import { RealtimePubSub } from '@tutti/pubsub'
import { serveInstance } from '@tutti/test-kit/instance'
import type { Job, TraceEntry } from './job-trace.ts'

// Processes jobs until it is killed, without Socket.IO.

const onError = (): void => {}
const { redis, group, visibilityMs, concurrency } = JSON.parse(process.env['WORKER'] ?? '{}')
const pubsub = new RealtimePubSub({ ...redis, commandTimeoutMs: 2_500, onError })
const { link } = pubsub
await link.ready
const logs = createRedisLogs({ link, pattern: 'jobs:*', groups: [group], onError })
const isJob = (value: unknown): value is Job => typeof value === 'object' && value !== null && 'number' in value && 'kind' in value
const trace = (entry: TraceEntry): Promise<unknown> => link.command('RPUSH', 'trace', JSON.stringify(entry))

createWorkers(logs, { group, concurrency, visibilityMs, minRetryMs: 10, maxRetryMs: 40, onError }, async ({ data }, { attempt }) => {
  if (!isJob(data)) throw new Error('No job.')
  const { number, kind } = data
  await trace({ number, attempt, pid: process.pid, atMs: Date.now(), event: 'start' })
  await wait(kind === 'long' ? 3 * visibilityMs : 2)
  if (kind === 'poison' && (await link.command('EXISTS', 'cured')) === 0) {
    await trace({ number, attempt, pid: process.pid, atMs: Date.now(), event: 'failure' })
    throw new Error(`poison ${number}`)
  }
  await trace({ number, attempt, pid: process.pid, atMs: Date.now(), event: 'done' })
})
serveInstance({}, {})
