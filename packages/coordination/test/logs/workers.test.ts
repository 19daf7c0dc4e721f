import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  createMemoryLogs,
  createRedisLogs,
  createWorkers,
  type Logs,
  type WorkerHandler,
  type WorkerOptions,
  type Workers,
} from '../../src/logs/index.ts'

let redis: TestRedis
let pubsubs: RealtimePubSub[] = []
beforeAll(async () => {
  redis = await startRedis()
  pubsubs = [new RealtimePubSub({ url: redis.url }), new RealtimePubSub({ url: redis.url })]
  await Promise.all(pubsubs.map(({ link }) => link.ready))
})
afterAll(async () => {
  await Promise.all(pubsubs.map((pubsub) => pubsub.dispose()))
  await redis.stop()
})

let patterns = 0
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

const SHORT: Omit<WorkerOptions, 'group'> = { visibilityMs: 300, minRetryMs: 1, maxRetryMs: 5, onError: () => {} }

/** Makes logs of two instances, with a group. */
const places: Record<string, (pattern: string) => Logs[]> = {
  'on Redis': (pattern) => pubsubs.map(({ link }) => createRedisLogs({ link, pattern, groups: ['g'] })),
  'in memory': (pattern) => {
    const logs = createMemoryLogs({ pattern, groups: ['g'] })
    return [logs, logs]
  },
}

describe.each(Object.entries(places))('workers %s', (_name, make) => {
  const open = () => {
    const prefix = `jobs${(patterns += 1)}`
    const [logs, other] = make(`${prefix}:*`)
    if (logs === undefined || other === undefined) throw new Error('There are two.')
    closing.push(async () => void (await Promise.all([logs.close(), other.close()])))
    const work = (place: Logs, handler: WorkerHandler, options: Partial<WorkerOptions> = {}): Workers => {
      const workers = createWorkers(place, { ...SHORT, group: 'g', ...options }, handler)
      closing.push(() => workers.close())
      return workers
    }
    return { logs, other, work, channel: (name: string) => `${prefix}:${name}`, prefix }
  }

  test('[E10] each record of all channels is processed by one of the workers', async () => {
    const { logs, other, work, channel } = open()
    const seen: string[] = []
    for (let number = 0; number < 10; number += 1) await logs.append(channel('before'), { json: String(number) })
    const handler: WorkerHandler = async ({ channel: name, data }) => void seen.push(`${name} ${JSON.stringify(data)}`)
    work(logs, handler, { concurrency: 3 })
    work(other, handler, { concurrency: 2 })
    for (let number = 0; number < 40; number += 1) await logs.append(channel(String(number % 3)), { json: String(number) })
    await eventually(() => expect(seen).toHaveLength(50))
    expect(new Set(seen).size).toBe(50)
  })

  test('[E10] at most `concurrency` handlers run at a time, in log order', async () => {
    const { logs, work, channel } = open()
    const order: unknown[] = []
    let active = 0
    let most = 0
    const handler: WorkerHandler = async ({ data }) => {
      most = Math.max(most, (active += 1))
      order.push(data)
      await new Promise((resolve) => void setImmediate(resolve))
      active -= 1
    }
    work(logs, handler, { concurrency: 3 })
    await Promise.all(Array.from({ length: 30 }, (_, number) => logs.append(channel('a'), { json: String(number) })))
    await eventually(() => expect([order.length, active]).toEqual([30, 0]))
    expect(most).toBe(3)
    expect(order).toEqual(Array.from({ length: 30 }, (_, number) => number))
  })

  test('[E10] a record that failed 3 times is a dead letter that can be replayed', async () => {
    const { logs, work, channel } = open()
    const attempts: unknown[] = []
    let isBroken = true
    const { group } = work(logs, ({ data }, { attempt }) => {
      attempts.push([data, attempt])
      if (isBroken) throw new Error(`no ${attempt}`)
    })
    await logs.append(channel('a'), { json: '"poison"' })
    const letter = await eventually(async () => {
      const [first] = await group.deadLetters.list(channel('a'))
      if (first === undefined) throw new Error('Not dead yet.')
      return first
    })
    expect(letter).toMatchObject({ json: '"poison"', errors: ['no 1', 'no 2', 'no 3'] })
    isBroken = false
    await group.deadLetters.replay(channel('a'), letter.id)
    await eventually(() => expect(attempts).toEqual([1, 2, 3, 1].map((attempt) => ['poison', attempt])))
    await eventually(async () => expect(await group.backlog(channel('a'))).toEqual({ waiting: 0, pending: 0 }))
  })

  test('[E10] a handler that runs for three times visibilityMs runs once', async () => {
    const outcomeWith = async (visibilityMs: number): Promise<{ runs: number; aborted: number }> => {
      const { logs, other, work, channel } = open()
      const outcome = { runs: 0, aborted: 0 }
      let isDone = false
      const handler: WorkerHandler = async (_record, { signal }) => {
        outcome.runs += 1
        // Each extends the claim by a third of its time.
        await eventually(() => expect(renewals.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBeGreaterThanOrEqual(9))
        if (signal.aborted) outcome.aborted += 1
        isDone = true
      }
      const groups = [logs, other].map((place) => work(place, handler, { visibilityMs }).group)
      const renewals = groups.map((group) => vi.spyOn(group, 'renew'))
      await logs.append(channel('a'), { json: '0' })
      await eventually(async () => expect([isDone, await groups[0]?.backlog(channel('a'))]).toEqual([true, { waiting: 0, pending: 0 }]))
      return outcome
    }
    const once = { runs: 1, aborted: 0 }
    const outcome = await outcomeWith(300)
    // A machine that stalls for as long as a claim ends it, so that a second run is right. A claim that is not renewed ends always.
    expect(outcome.runs === 1 ? outcome : await outcomeWith(6_000)).toEqual(once)
  })

  test('[E10] a handler past handlerTimeoutMs has failed, and its signal is aborted', async () => {
    const { logs, work, channel } = open()
    const signals: AbortSignal[] = []
    const never: WorkerHandler = (_record, { signal }) => new Promise(() => void signals.push(signal))
    const { group } = work(logs, never, { handlerTimeoutMs: 20 })
    await logs.append(channel('a'), { json: '0' })
    const letters = await eventually(async () => {
      const found = await group.deadLetters.list(channel('a'))
      expect(found).toHaveLength(1)
      return found
    })
    expect(letters[0]?.errors).toEqual(Array.from({ length: 3 }, () => expect.stringContaining('handlerTimeoutMs')))
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true])
  })

  test('[E10] closing waits for running handlers and leaves the rest to other workers', async () => {
    const { logs, other, work, channel } = open()
    const done: unknown[] = []
    let started: () => void = () => {}
    let release: () => void = () => {}
    const isStarted = new Promise<void>((resolve) => void (started = resolve))
    const first = work(logs, async ({ data }) => {
      started()
      await new Promise<void>((resolve) => void (release = resolve))
      done.push(['first', data])
    })
    for (const json of ['0', '1', '2']) await logs.append(channel('a'), { json })
    await isStarted
    const closed = first.close()
    release()
    await closed
    expect(done).toEqual([['first', 0]])
    work(other, ({ data }) => void done.push(['second', data]))
    await eventually(() =>
      expect(done).toEqual([
        ['first', 0],
        ['second', 1],
        ['second', 2],
      ]),
    )
  })

  test('[E10] closing past its time aborts handlers, and their records move at once', async () => {
    const { logs, other, work, channel } = open()
    const signals: AbortSignal[] = []
    const never: WorkerHandler = (_record, { signal }) => new Promise(() => void signals.push(signal))
    const first = work(logs, never, { visibilityMs: 600_000 })
    await logs.append(channel('a'), { json: '0' })
    await eventually(() => expect(signals).toHaveLength(1))
    await first.close(1)
    expect(signals[0]?.reason).toMatchObject({ code: 'CLOSED' })
    const seen: number[] = []
    work(other, (_record, { attempt }) => void seen.push(attempt))
    await eventually(() => expect(seen).toEqual([2]))
  })

  test('[E10] workers of some channels leave the others alone', async () => {
    const { logs, work, channel, prefix } = open()
    const seen: string[] = []
    work(logs, ({ channel: name }) => void seen.push(name), { channels: `${prefix}:mail:*` })
    await logs.append(channel('other'), { json: '0' })
    await logs.append(channel('mail:a'), { json: '0' })
    await eventually(() => expect(seen).toEqual([channel('mail:a')]))
    expect(await logs.group('g').backlog(channel('other'))).toEqual({ waiting: 1, pending: 0 })
  })
})
