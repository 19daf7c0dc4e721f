import { countItems, eventually } from '@tutti/test-kit'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { createAddressLimit } from '../src/connection/address-limit.ts'
import { createRooms } from '../src/connection/rooms.ts'
import { createRequestLimits } from '../src/connection/request-limits.ts'
import { TokenBucket } from '../src/connection/token-bucket.ts'
import { ModelConnection } from './model-cluster.ts'
import { connectPlain, serve, type Served } from './serve.ts'

async function served(options: Partial<AttachRealtimeOptions>): Promise<Served> {
  const server = await serve(options)
  onTestFinished(() => server.close())
  return server
}

describe('a token bucket', () => {
  const withClock = (perSecond: number) => {
    const clock = { now: 0 }
    const bucket = new TokenBucket(perSecond, () => clock.now)
    const takeAll = (): number => {
      for (let taken = 0; ; taken += 1) {
        try {
          bucket.take('mutations per second')
        } catch {
          return taken
        }
      }
    }
    return { clock, bucket, takeAll }
  }

  test('[X5] admits one second’s worth at once, then that rate, without accumulation', () => {
    const { clock, takeAll } = withClock(10)
    expect(takeAll()).toBe(10)
    clock.now += 500
    expect(takeAll()).toBe(5)
    clock.now += 60_000
    expect(takeAll()).toBe(10)
    clock.now += 99
    expect(takeAll()).toBe(0)
    clock.now += 1
    expect(takeAll()).toBe(1)
  })

  test.each([1, 10, 1000])('[X5] of %d contains the delay after which requests are admitted', (perSecond) => {
    const { clock, bucket, takeAll } = withClock(perSecond)
    takeAll()
    const refused = (): unknown => {
      try {
        bucket.take('mutations per second')
        return undefined
      } catch (error) {
        return error
      }
    }
    const error = refused()
    expect(error).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: perSecond === 1 ? 1000 : 500 })
    clock.now += (error as { retryAfterMs: number }).retryAfterMs
    expect(takeAll()).toBe(Math.max(1, perSecond / 2))
  })
})

test.each([
  ['mutationsPerSecond', 'storage:set', { key: 'k', value: 1 }],
  ['mutationsPerSecond', 'storage:remove', { key: 'k' }],
  ['mutationsPerSecond', 'storage:increment', { key: 'n', by: 1 }],
  ['mutationsPerSecond', 'storage:patch', { key: 'p', patch: {} }],
  ['eventsPerSecond', 'event:publish', { channel: 'c', data: 1 }],
])('[X5] %s holds for %s, each connection by itself, and rubbish counts too', async (option, name, message) => {
  const { connect, realtime } = await served({ limits: { [option]: 3 } })
  const [flooder, other] = [await connect(), await connect()]
  const heard: unknown[] = []
  realtime.events.subscribe('*', (event) => heard.push(event))
  const replies = await Promise.all([flooder.send(name, { rubbish: 1 }), ...[1, 2, 3, 4].map(() => flooder.send(name, message))])
  expect(replies.map(({ ok }) => ok)).toEqual([false, true, true, false, false])
  expect(replies.at(-1)).toMatchObject({ error: { code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) } })
  expect(heard).toHaveLength(name === 'event:publish' ? 2 : 0)
  for (const read of ['storage:get', 'storage:get', 'storage:get', 'storage:get'])
    await flooder.request(read as 'storage:get', { key: 'k' })
  expect(await other.send(name, message)).toMatchObject({ ok: true })
})

test('[X5] requests under way are bounded, and go on once some are answered', async () => {
  const answers: (() => void)[] = []
  const { connect } = await served({
    limits: { maxRequestsInFlight: 2 },
    authorize: () => new Promise((resolve) => answers.push(() => resolve(true))),
  })
  const client = await connect()
  const first = ['a', 'b'].map((key) => client.send('storage:get', { key }))
  expect(await client.send('storage:get', { key: 'c' })).toMatchObject({ error: { code: 'RATE_LIMITED', retryAfterMs: 250 } })
  await eventually(() => expect(answers).toHaveLength(2))
  for (const answer of answers) answer()
  await Promise.all(first)
  expect(await client.send('storage:get', { key: 'a' })).toMatchObject({ ok: true })
})

test('[X5] requestsPerSecond holds for all kinds of requests together', async () => {
  const { connect } = await served({ limits: { requestsPerSecond: 3 } })
  const client = await connect()
  const replies = await Promise.all([
    client.send('storage:get', { key: 'k' }),
    client.send('event:subscribe', { channel: 'c' }),
    client.send('storage:set', { key: 'k', value: 1 }),
    client.send('storage:get', { key: 'k' }),
  ])
  expect(replies.map(({ ok }) => ok)).toEqual([true, true, true, false])
  expect(replies.at(-1)).toMatchObject({ error: { code: 'RATE_LIMITED' } })
})

test('[X5] a connection that ignores refusals is closed, counted and reported', async () => {
  const errors: unknown[] = []
  const { connect, realtime } = await served({
    limits: { requestsPerSecond: 20 },
    onError: (error, context) => errors.push([error, context.stage]),
  })
  const [flooder, other] = [await connect(), await connect()]
  const gone = new Promise((resolve) => flooder.socket.once('disconnect', resolve))
  for (let sent = 0; sent < 60; sent += 1) flooder.socket.emit('storage:get', { key: 'k' }, () => {})
  await gone
  expect(realtime.counts.floods).toBe(1)
  expect(errors).toEqual([[expect.objectContaining({ code: 'RATE_LIMITED' }), 'flood']])
  expect(await other.send('storage:get', { key: 'k' })).toMatchObject({ ok: true })
})

test('[X5] a user has one rate on all connections, including new ones', async () => {
  const { connect } = await served({ limits: { mutationsPerSecond: 3 }, authenticate: ({ token = '' }) => ({ id: token }) })
  const as = (token: string) => connect({ auth: { token } })
  const set = async (token: string): Promise<boolean> => (await (await as(token)).send('storage:set', { key: 'k', value: 1 })).ok
  const outcomes: boolean[] = []
  for (let time = 0; time < 5; time += 1) outcomes.push(await set('mallory'))
  expect(outcomes.slice(0, 3)).toEqual([true, true, true])
  expect(outcomes).toContain(false)
  expect(await set('alice')).toBe(true)
})

test('[X5] users are remembered as long as their rates need it, however many come', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const rates = { mutationsPerSecond: 1, eventsPerSecond: 1, presencePerSecond: 10, requestsPerSecond: 1, maxRequestsInFlight: 1 }
  const { made: limits, items } = await countItems(() => createRequestLimits(rates))
  for (let user = 0; user < 5_000; user += 1) {
    vi.advanceTimersByTime(10)
    limits.begin(new ModelConnection('c', createRooms(), `u${user}`), 'storage:get')()
  }
  expect(items()).toBeLessThan(2_500)
})

test('[X5] a connection that is refused and waits stays', async () => {
  const { connect } = await served({ limits: { requestsPerSecond: 20 } })
  const client = await connect()
  const replies = await Promise.all(Array.from({ length: 35 }, () => client.send('storage:get', { key: 'k' })))
  expect(replies.filter(({ ok }) => !ok).length).toBeGreaterThan(0)
  expect(client.socket.connected).toBe(true)
})

describe('connections of one address', () => {
  const refused = (connecting: Promise<unknown>): Promise<unknown> => connecting.catch((error: { data?: unknown }) => error.data)

  test('[X5] are bounded, and one that ends makes room for another', async () => {
    const { url, connect } = await served({ limits: { maxConnectionsPerAddress: 2 } })
    const [first] = [await connect(), await connect()]
    expect(await refused(connectPlain(url))).toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 5_000 })
    first?.socket.disconnect()
    await eventually(() => connect())
    expect(await refused(connectPlain(url))).toMatchObject({ code: 'RATE_LIMITED' })
  })

  test('[X5] are tried so often in a second, and again in the next', async () => {
    const { url, connect } = await served({
      limits: { connectsPerSecondPerAddress: 2 },
      authenticate: ({ token }) => (token === 'good' ? { id: 'u' } : null),
    })
    const outcomes = await Promise.all([1, 2, 3].map(() => refused(connectPlain(url))))
    expect(outcomes).toContainEqual(expect.objectContaining({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: expect.any(Number) }))
    expect(outcomes.filter((outcome) => outcome !== undefined)).toHaveLength(3)
    await eventually(() => connect({ auth: { token: 'good' } }))
  })

  test('[X5] count the client behind a proxy, regardless of its own headers', async () => {
    const { url, connect } = await served({ limits: { maxConnectionsPerAddress: 1 }, trustProxy: 1 })
    const from = (forwarded: string) => ({ extraHeaders: { 'x-forwarded-for': forwarded } })
    await connect(from('203.0.113.1'))
    await connect(from('203.0.113.2'))
    expect(await refused(connectPlain(url, from('198.51.100.9, 203.0.113.1')))).toMatchObject({ code: 'RATE_LIMITED' })
  })

  test('[X8] are those of one client for every spelling and its whole IPv6 /64', async () => {
    const { url, connect } = await served({ limits: { maxConnectionsPerAddress: 1 }, trustProxy: 1 })
    const from = (forwarded: string) => ({ extraHeaders: { 'x-forwarded-for': forwarded } })
    await connect(from('203.0.113.1:5678'))
    await connect(from('[2001:db8:0:1::a]:443'))
    for (const same of ['203.0.113.1', '::ffff:203.0.113.1', '2001:DB8:0:1:0:0:0:A', '2001:db8:0:1:ffff::b']) {
      expect(await refused(connectPlain(url, from(same))), same).toMatchObject({ code: 'RATE_LIMITED' })
    }
    await connect(from('2001:db8:0:2::a'))
  })

  test('[X8] are tried so often in a second for all of an IPv6 /64', async () => {
    const { url } = await served({ limits: { connectsPerSecondPerAddress: 1 }, trustProxy: 1 })
    const from = (forwarded: string) => refused(connectPlain(url, { extraHeaders: { 'x-forwarded-for': forwarded } }))
    const outcomes = await Promise.all(['2001:db8::a', '[2001:db8::b]:1', '2001:DB8:0:0::c'].map(from))
    expect(outcomes).toContainEqual(expect.objectContaining({ code: 'RATE_LIMITED' }))
  })

  test('[X5] that were refused for another reason are counted while they last only', async () => {
    const { url } = await served({ limits: { maxConnectionsPerAddress: 1 }, authenticate: () => null })
    for (let time = 0; time < 3; time += 1)
      await eventually(async () => expect(await refused(connectPlain(url))).toMatchObject({ code: 'UNAUTHENTICATED' }))
  })

  test('[X5] addresses without connections are forgotten', () => {
    const limit = createAddressLimit(1)
    const key = limit.enter('a')
    expect(() => limit.enter('a')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }))
    limit.leave(key)
    limit.leave(limit.enter('a'))
    limit.enter('b')
  })
})

test.each([
  'mutationsPerSecond',
  'eventsPerSecond',
  'requestsPerSecond',
  'maxRequestsInFlight',
  'maxConnectionsPerAddress',
  'connectsPerSecondPerAddress',
])('[X5] a %s that cannot work throws INVALID_OPTIONS', async (option) => {
  for (const value of [-1, 0.5, Number.NaN])
    await expect(serve({ limits: { [option]: value } })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
})

test('[X8] a trustProxy that is not a number of proxies throws INVALID_OPTIONS', async () => {
  for (const trustProxy of [-1, 0.5, Number.NaN]) await expect(serve({ trustProxy })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
})
