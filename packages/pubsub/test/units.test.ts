import { companionKey } from '../src/redis/companion-key.ts'
import { expect, test } from 'vitest'
import { classifyRedisError } from '../src/redis/errors.ts'
import { createRedisClock, parseTime } from '../src/redis/redis-clock.ts'
import { connect, observer, testRedis } from './setup.ts'

test('[S20] a companion key is in the hash slot of its value, for every base', async () => {
  const redis = await testRedis(['--cluster-enabled', 'yes'])
  const observing = observer(redis)
  const slot = (key: string) => observing.cluster('KEYSLOT', key)
  for (const base of ['tutti', 'a:b', '{app}', 'x{app}y', '{a}{b}', 'x{a}{}', 'ü']) {
    for (const name of ['', 'm:ann:{7}']) expect(await slot(companionKey(base, 'todo:1', name)), base).toBe(await slot(`${base}:todo:1`))
  }
  expect(companionKey('tutti', 'todo:1', '')).toBe('{tutti:todo:1}$')
  expect(companionKey('{app}', 'todo:1', 'm')).toBe('{app}:todo:1$m')
})

test('[S20] a base whose braces are not a hash tag is refused with INVALID_OPTIONS', () => {
  for (const base of ['{', '}', 'a{}', '{}a', 'a}b', '}{a}', '{}{a}']) {
    expect(() => companionKey(base, 'k', ''), base).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  }
})

test('[F2] the clock follows the time of Redis, not the local clock', () => {
  let [monotonic, wall] = [100, 5_000]
  const clock = createRedisClock({ monotonicMs: () => monotonic, wallMs: () => wall })
  expect(clock.now()).toBe(5_000)
  clock.adjust(1_000_000)
  wall = 9_999_999
  monotonic = 350
  expect(clock.now()).toBe(1_000_250)
  clock.adjust(900_000)
  expect(clock.now()).toBe(900_000)
})

test('[F2] TIME is seconds and microseconds', () => {
  expect(parseTime(['1700000000', '123456'])).toBe(1_700_000_000_123.456)
  expect([parseTime(null), parseTime(['x', 'y']), parseTime([])]).toEqual([undefined, undefined, undefined])
})

test('[F2] now() is the time of Redis from the first ready on', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const [seconds] = await observer(redis).time()
  expect(Math.abs(pubsub.link.now() - Number(seconds) * 1000)).toBeLessThan(10_000)
  pubsub.link.adjustClock(1_000)
  expect(pubsub.link.now()).toBeLessThan(1_000_000)
})

test('[N5] errors of a Redis that cannot serve are UNAVAILABLE, in any Redis version', () => {
  const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })
  const away = [
    'LOADING Redis is loading the dataset in memory',
    "READONLY You can't write against a read only replica. script: 5a2, on @user_script:1.",
    'CLUSTERDOWN The cluster is down',
    'MASTERDOWN Link with MASTER is down',
    "OOM command not allowed when used memory > 'maxmemory'. script: 5a2, on @user_script:1.",
    "ERR Error running script (call to f_5a2): @user_script:1: @user_script: 1: -OOM command not allowed when used memory > 'maxmemory'.",
    "ERR Error running script (call to f_5a2): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
    'MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.',
    'BUSY Redis is busy running a script.',
    'NOREPLICAS Not enough good replicas to write.',
  ]
  for (const message of away) expect(classifyRedisError(reply(message)), message).toMatchObject({ code: 'UNAVAILABLE' })
  const own = ['CONFLICT 7', 'WRONGTYPE Operation against a key', 'ERR user_script:1: OOM in the text', 'NOPERM no', 'LOADINGS', 'ERR -OOM']
  for (const message of own) expect(classifyRedisError(reply(message))).toMatchObject({ name: 'ReplyError', message })
  const lost = ['Command timed out', 'Connection is closed.', 'Reached the max retries per request limit', 'read ECONNRESET']
  for (const message of lost) expect(classifyRedisError(new Error(message)), message).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  const unsent = new Error("Stream isn't writeable and enableOfflineQueue options is false")
  expect(classifyRedisError(unsent)).toMatchObject({ code: 'UNAVAILABLE', cause: unsent })
})
