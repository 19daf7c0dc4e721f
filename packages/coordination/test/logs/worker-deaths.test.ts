import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, seededRandom, sendToRedis, spawnInstance, startRedis, type Instance, type TestRedis } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRedisLogs, createWorkers, type Logs } from '../../src/logs/index.ts'

const JOBS = 240
const POISON = 7
const seed = Number(process.env['FUZZ_SEED'] ?? 1)

let redis: TestRedis
let pubsub: RealtimePubSub
let logs: Logs
beforeAll(async () => {
  redis = await startRedis()
  pubsub = new RealtimePubSub({ url: redis.url })
  await pubsub.link.ready
  logs = createRedisLogs({ link: pubsub.link, pattern: 'jobs:*', groups: ['g'] })
})
afterAll(async () => {
  await logs.close()
  await pubsub.dispose()
  await redis.stop()
})

const script = new URL('worker-app.ts', import.meta.url)
const spawn = (): Promise<Instance> => spawnInstance(script, { env: { REDIS_URL: redis.url, POISON: String(POISON) } })

test(`[E10] no job is lost or dead-lettered while workers are killed (seed ${seed})`, async () => {
  const random = seededRandom(seed)
  const instances = await Promise.all([spawn(), spawn()])
  for (let job = 0; job < JOBS; job += 1) {
    await logs.append(`jobs:${job % 5}`, { json: String(job), id: `job-${job}` })
    if (job % 80 === 79) {
      const place = random.below(instances.length)
      await instances[place]?.kill()
      instances[place] = await spawn()
    }
  }
  const group = logs.group('g')
  const channels = [0, 1, 2, 3, 4].map((number) => `jobs:${number}`)
  await eventually(async () => {
    for (const channel of channels) expect(await group.backlog(channel)).toEqual({ waiting: 0, pending: 0 })
  })
  const effects = await sendToRedis(redis, 'HGETALL', 'effects')
  const done = Array.isArray(effects) ? effects.filter((_item, place) => place % 2 === 0).map(Number) : []
  expect(done.toSorted((a, b) => a - b)).toEqual(Array.from({ length: JOBS }, (_, job) => job).filter((job) => job !== POISON))
  const letters = (await Promise.all(channels.map((channel) => group.deadLetters.list(channel)))).flat()
  expect(letters.map(({ json }) => Number(json))).toEqual([POISON])
  expect(letters[0]?.errors).toEqual(Array.from({ length: 3 }, () => 'poison'))
  await Promise.all(instances.map((instance) => instance.kill()))
})

test('[E10] a group without records sends no command', async () => {
  const workers = createWorkers(logs, { group: 'g', visibilityMs: 30 }, () => {})
  await eventually(async () => expect(await workers.group.logs()).toHaveLength(5))
  const count = async (): Promise<number> =>
    Number(/total_commands_processed:(\d+)/.exec(String(await sendToRedis(redis, 'INFO', 'stats')))?.[1])
  // All channels were looked at once, and nothing is planned.
  const before = await eventually(async () => {
    const first = await count()
    await new Promise((resolve) => void setTimeout(resolve, 60))
    expect(await count()).toBe(first + 1)
    return first
  })
  expect(before).toBeGreaterThan(0)
  await workers.close()
})
