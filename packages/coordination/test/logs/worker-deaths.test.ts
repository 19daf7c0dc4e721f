import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, seededRandom, sendToRedis, spawnInstance, startRedis, type Instance, type TestRedis } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
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
  const idle = createRedisLogs({ link: pubsub.link, pattern: 'idle:*', groups: ['g'] })
  onTestFinished(() => idle.close())
  const before = createWorkers(idle, { group: 'g' }, () => {})
  for (const name of ['idle:1', 'idle:2']) {
    await idle.append(name, { json: '0' })
    await eventually(async () => expect(await before.group.backlog(name)).toEqual({ waiting: 0, pending: 0 }))
  }
  await before.close()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const workers = createWorkers(idle, { group: 'g', visibilityMs: 30 }, () => {})
  onTestFinished(() => workers.close())
  const calls = [vi.spyOn(workers.group, 'logs'), vi.spyOn(workers.group, 'take'), vi.spyOn(workers.group, 'renew')]
  const made = (): number[] => calls.map(({ mock }) => mock.settledResults.filter(({ type }) => type === 'fulfilled').length)
  // Each channel was looked at once.
  await vi.waitFor(() => expect(made()).toEqual([1, 2, 0]), { timeout: 30_000 })
  vi.advanceTimersByTime(3_600_000)
  expect(calls.map(({ mock }) => mock.calls.length)).toEqual([1, 2, 0])
})
