import { createRedisLogs } from '@tutti/coordination/logs'
import { RealtimePubSub } from '@tutti/pubsub'
import { startMeasuredRedis } from '../measure/measured-redis.ts'
import { percentile } from '../measure/statistics.ts'
import type { Row } from '../row.ts'

const PLANS = { full: { warmUp: 5_000, appends: 40_000 }, short: { warmUp: 10, appends: 40 } } as const
/** Appends without a reply at a time. */
const IN_FLIGHT = 64
const DATA = JSON.stringify({ user: 'ann', text: 'x'.repeat(80) })

/** The least that an append can be: one record and one notification. */
const BARE = `
redis.call('XADD', KEYS[1], '*', 'd', ARGV[1])
redis.call('PUBLISH', 'bare:notify', ARGV[1])
`

type Append = () => Promise<unknown>

/** Makes the append of a column. */
const APPENDS: Readonly<Record<string, (pubsub: RealtimePubSub) => Append>> = {
  'XADD + PUBLISH': ({ link }) => {
    const script = link.script(BARE)
    return () => script.run(['bare:records'], [DATA])
  },
  Tutti: ({ link }) => {
    const logs = createRedisLogs({ link, pattern: 'chat:*' })
    return () => logs.append('chat:bench', { json: DATA })
  },
  'Tutti with ids': ({ link }) => {
    const logs = createRedisLogs({ link, pattern: 'chat:*' })
    let number = 0
    return () => logs.append('chat:bench', { json: DATA, id: `id-${(number += 1)}` })
  },
}

/** So many appends, `IN_FLIGHT` at a time. Returns how long each took, milliseconds. */
async function run(append: Append, count: number): Promise<number[]> {
  const times: number[] = []
  let left = count
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const begin = performance.now()
      await append()
      times.push(performance.now() - begin)
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return times
}

const cpuOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1_000

/** Appends to a durable channel beside a script that only adds a record and publishes it. */
export const append: Row = {
  name: 'append',
  title: `appends of 100 bytes to a durable channel, ${IN_FLIGHT} in flight, CPU of the instance and of Redis`,
  figures: ['append p50, ms', 'append p99, ms', 'appends/s', 'CPU per 1,000 appends, ms', 'of Redis, ms'],
  columns: [
    { label: 'XADD + PUBLISH', side: 'relay', client: 'relay' },
    { label: 'Tutti', side: 'tutti', client: 'tutti light' },
    { label: 'Tutti with ids', side: 'tutti', client: 'tutti light' },
  ],
  measure: async ({ label }, { size }) => {
    const { warmUp, appends } = PLANS[size]
    const redis = await startMeasuredRedis()
    const pubsub = new RealtimePubSub({ url: redis.url })
    try {
      await pubsub.link.ready
      const start = APPENDS[label]
      if (start === undefined) throw new Error(`No column ${label}.`)
      const one = start(pubsub)
      await run(one, warmUp)
      const [redisMs, cpu, begin] = [await redis.cpuMs(), process.cpuUsage(), performance.now()]
      const times = await run(one, appends)
      const seconds = (performance.now() - begin) / 1_000
      const [own, ofRedis] = [cpuOf(process.cpuUsage(cpu)), (await redis.cpuMs()) - redisMs]
      return {
        figures: {
          'append p50, ms': percentile(times, 0.5),
          'append p99, ms': percentile(times, 0.99),
          'appends/s': appends / seconds,
          'CPU per 1,000 appends, ms': ((own + ofRedis) * 1_000) / appends,
          'of Redis, ms': (ofRedis * 1_000) / appends,
        },
        deliveries: { expected: 0, delivered: 0, doubled: 0 },
      }
    } finally {
      await pubsub.dispose()
      await redis.stop()
    }
  },
}
