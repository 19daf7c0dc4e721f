import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { RealtimePubSub } from '../src/index.ts'
import { commandCalls, connect, faultProxy, observer, testRedis } from './setup.ts'

const UNAVAILABLE = { code: 'UNAVAILABLE', retryable: true }
const OUTCOME_UNKNOWN = { code: 'OUTCOME_UNKNOWN', retryable: false }

test('[N5] without Redis every call rejects at once with UNAVAILABLE and is never sent', async () => {
  const redis = await testRedis()
  // A timeout longer than the test: rejections can only come from the lost connection.
  const { pubsub, errors } = connect({ url: redis.url, commandTimeoutMs: 3_600_000, breakerFailures: 1_000_000 })
  await pubsub.link.ready
  const script = pubsub.link.script(`return redis.call('INCR', KEYS[1])`)
  const gaps: string[] = []
  pubsub.onGap(() => gaps.push(pubsub.status))
  await redis.kill()
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  // `sub` may be lost first; until `pub` is lost too, a sent command may have been read.
  await eventually(() => expect(pubsub.link.command('PING')).rejects.toMatchObject(UNAVAILABLE))
  for (let n = 0; n < 100; n += 1) {
    await expect(pubsub.link.command('INCR', 'count')).rejects.toMatchObject(UNAVAILABLE)
    await expect(script.run(['count'], [])).rejects.toMatchObject(UNAVAILABLE)
    await expect(pubsub.publish('news', {})).rejects.toMatchObject(UNAVAILABLE)
  }
  await redis.restart()
  await eventually(() => expect(gaps).toEqual(['ready']))
  expect(await pubsub.link.command('INCR', 'count')).toBe(1)
  expect(await commandCalls(observer(redis))).toMatchObject({ incr: 1 })
  expect(errors.map(({ stage }) => stage)).toEqual(['connection'])
})

test('[N5] calls in flight when Redis dies reject at once with OUTCOME_UNKNOWN', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url, commandTimeoutMs: 3_600_000 })
  await pubsub.link.ready
  redis.pause()
  const calls = Array.from({ length: 20 }, () => pubsub.link.command('INCR', 'count'))
  const outcomes = Promise.allSettled(calls)
  await new Promise((resolve) => setImmediate(resolve))
  await redis.kill()
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'rejected', reason: OUTCOME_UNKNOWN })
})

test('[N5] on a hanging Redis calls reject after commandTimeoutMs; it reconnects', async () => {
  const redis = await testRedis()
  const { pubsub, errors } = connect({ url: redis.url, commandTimeoutMs: 200 })
  await pubsub.link.ready
  const gap = new Promise<void>((resolve) => void pubsub.onGap(resolve))
  redis.pause()
  await expect(pubsub.publish('news', {})).rejects.toMatchObject(OUTCOME_UNKNOWN)
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  await expect(pubsub.publish('news', {})).rejects.toMatchObject(UNAVAILABLE)
  redis.resume()
  await gap
  await pubsub.publish('news', {})
  expect(errors.map(({ stage }) => stage)).toEqual(['connection'])
})

test('[N5] commands buffered on a hanging connection are never sent', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url, commandTimeoutMs: 300 })
  await pubsub.link.ready
  redis.pause()
  const megabyte = 'x'.repeat(1024 * 1024)
  const writes = Array.from({ length: 64 }, (_, n) => pubsub.link.command('SET', `key:${n}`, megabyte))
  for (const outcome of await Promise.allSettled(writes)) expect(outcome).toMatchObject({ status: 'rejected', reason: OUTCOME_UNKNOWN })
  const gap = new Promise<void>((resolve) => void pubsub.onGap(resolve))
  redis.resume()
  await gap
  // The last command was queued behind all others, far beyond the size of the system's socket buffers.
  expect(await pubsub.link.command('EXISTS', 'key:63')).toBe(0)
})

test('[N5] replaceHanging replaces pub only if sub replies and the caller still waits', async () => {
  const redis = await testRedis()
  const proxy = await faultProxy(redis)
  const { pubsub } = connect({ host: proxy.host, port: proxy.port })
  await pubsub.link.ready
  const hanging = proxy.connections.find(({ sent }) => sent.includes(`${pubsub.instanceId}:pub`))
  await pubsub.link.replaceHanging(() => false)
  expect(hanging?.open).toBe(true)
  hanging?.stall('down')
  let isWaiting = true
  const call = pubsub.link.command('PING').finally(() => (isWaiting = false))
  const gap = new Promise<void>((resolve) => void pubsub.onGap(resolve))
  await pubsub.link.replaceHanging(() => isWaiting)
  await expect(call).rejects.toMatchObject(OUTCOME_UNKNOWN)
  await gap
  expect(await pubsub.link.command('PING')).toBe('PONG')
  expect(hanging?.open).toBe(false)
})

test('[N5] a call without a reply is not resent: it runs once, OUTCOME_UNKNOWN', async () => {
  const redis = await testRedis()
  const proxy = await faultProxy(redis)
  const { pubsub } = connect({ host: proxy.host, port: proxy.port })
  await pubsub.link.ready
  const gap = new Promise<void>((resolve) => void pubsub.onGap(resolve))
  const pub = proxy.connections.find(({ sent }) => sent.includes(':pub'))
  pub?.drop('down')
  const outcome = Promise.allSettled([pubsub.link.command('INCR', 'count')])
  const observing = observer(redis)
  await eventually(async () => expect(await observing.get('count')).toBe('1'))
  pub?.cut()
  expect(await outcome).toMatchObject([{ status: 'rejected', reason: OUTCOME_UNKNOWN }])
  await gap
  expect(await pubsub.link.command('GET', 'count')).toBe('1')
})

test('[N5] commands lost in transit are not resent on the next connection', async () => {
  const redis = await testRedis()
  const proxy = await faultProxy(redis)
  const { pubsub } = connect({ host: proxy.host, port: proxy.port, commandTimeoutMs: 200 })
  await pubsub.link.ready
  const gap = new Promise<void>((resolve) => void pubsub.onGap(resolve))
  const before = proxy.connections.length
  for (const connection of proxy.connections) connection.drop('up')
  const calls = await Promise.allSettled([1, 2, 3].map((n) => pubsub.link.command('INCRBY', 'count', n)))
  for (const call of calls) expect(call).toMatchObject({ status: 'rejected', reason: OUTCOME_UNKNOWN })
  await gap
  const later = proxy.connections.slice(before)
  expect(later.length).toBeGreaterThan(0)
  for (const { sent } of later) expect(sent).not.toContain('INCRBY')
  expect(await pubsub.link.command('EXISTS', 'count')).toBe(0)
})

test('[N5] a refusing Redis is UNAVAILABLE; errors of scripts are unchanged', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const write = pubsub.link.script(`return redis.call('SET', KEYS[1], ARGV[1])`)
  const refuse = pubsub.link.script(`return redis.error_reply('CONFLICT 7')`)
  const observing = observer(redis)
  await observing.config('SET', 'maxmemory', '1')
  await expect(write.run(['x'], ['1'])).rejects.toMatchObject(UNAVAILABLE)
  await expect(pubsub.link.command('SET', 'x', '1')).rejects.toMatchObject(UNAVAILABLE)
  await observing.config('SET', 'maxmemory', '0')
  await expect(refuse.run([], [])).rejects.toThrow(/^CONFLICT 7/)
  await expect(pubsub.link.command('INCR', 'x', 'y')).rejects.toThrow(/wrong number of arguments/)
  expect(await write.run(['x'], ['1'])).toBe('OK')
})

test('[N5] if the server becomes a replica, writes are UNAVAILABLE and it reconnects', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const observing = observer(redis)
  const gap = new Promise<void>((resolve) => void pubsub.onGap(resolve))
  await observing.replicaof('127.0.0.1', '1')
  await expect(pubsub.link.command('SET', 'x', '1')).rejects.toMatchObject(UNAVAILABLE)
  await observing.replicaof('NO', 'ONE')
  await gap
  expect(await pubsub.link.command('SET', 'x', '1')).toBe('OK')
})

test('[N5] without an error listener, an outage is one process warning', async () => {
  const redis = await testRedis()
  const warnings: string[] = []
  const onWarning = ({ name, message }: Error): void => void (name === 'TuttiWarning' && warnings.push(message))
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  await redis.kill()
  const pubsub = new RealtimePubSub({ url: redis.url })
  onTestFinished(() => pubsub.dispose())
  await eventually(() => expect(warnings).toHaveLength(1))
  await expect(pubsub.publish('news', {})).rejects.toMatchObject(UNAVAILABLE)
  await redis.restart()
  await pubsub.link.ready
  expect(warnings).toEqual([expect.stringContaining('Lost the connection to Redis')])
})
