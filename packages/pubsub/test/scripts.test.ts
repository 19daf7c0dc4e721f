import { tracingChannel } from 'node:diagnostics_channel'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { commandCalls, connect, observer, testRedis } from './setup.ts'

const APPEND = `redis.call('RPUSH', KEYS[1], ARGV[1]); return redis.call('LLEN', KEYS[1])`

test('[S5] runs of one script in one turn are one EVALSHA, and its source is sent once', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  const early = pubsub.link.script(APPEND)
  await pubsub.link.ready
  const late = pubsub.link.script('return ARGV[1]')
  pubsub.link.script(APPEND)
  expect(await Promise.all([early.run(['list'], ['a']), early.run(['list'], ['b']), late.run([], ['c'])])).toEqual([1, 2, 'c'])
  const calls = await commandCalls(observer(redis))
  // Each script is loaded in two forms: for one run and for several.
  expect([calls['evalsha'], calls['eval'], calls['script|load']]).toEqual([2, undefined, 4])
})

test('[S5] replies are text, numbers, null and lists; arguments arrive unchanged', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const echo = pubsub.link.script(
    `return { KEYS[1], KEYS[2], ARGV[1], ARGV[2], #ARGV, 7, {}, { 'deep' }, redis.status_reply('FINE'), false }`,
  )
  expect(await echo.run(['k1', 'kü'], ['', 1.5])).toEqual(['k1', 'kü', '', '1.5', 2, 7, [], ['deep'], 'FINE', null])
  expect(await pubsub.link.command('hset', 'h', 'field', 'value')).toBe(1)
  // ioredis would convert the replies of some commands to objects.
  expect(await pubsub.link.command('hgetall', 'h')).toEqual(['field', 'value'])
  expect(await pubsub.link.command('GET', 'absent')).toBeNull()
})

test('[S5] Redis loads the scripts again at each connect, before other commands', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const script = pubsub.link.script(APPEND)
  await script.run(['list'], ['a'])
  await redis.kill()
  await redis.restart()
  await eventually(() => script.run(['list'], ['b']))
  const calls = await commandCalls(observer(redis))
  expect([calls['evalsha'], calls['eval']]).toEqual([1, undefined])
})

test('[S5] a Redis that lost its scripts receives them whole, in order', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const [append, other] = [pubsub.link.script(APPEND), pubsub.link.script(`${APPEND} -- another`)]
  await append.run(['list'], ['0'])
  const observing = observer(redis)
  await observing.script('FLUSH')
  const runs = Array.from({ length: 20 }, (_, n) => (n % 3 === 0 ? other : append).run(['list'], [n + 1]))
  await Promise.all(runs)
  expect(await pubsub.link.command('LRANGE', 'list', 0, -1)).toEqual(Array.from({ length: 21 }, (_, n) => String(n)))
  await append.run(['list'], ['x'])
  // 0 | 1 2 | 3 | 4 5 | …: only consecutive runs are joined.
  expect((await commandCalls(observing))['eval']).toBe(14)
})

test('[S5] errors of scripts keep their place among the replies', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const outcomes: string[] = []
  const runs = Array.from({ length: 20 }, (_, n) =>
    // Different scripts are not joined, so each is a command.
    pubsub.link
      .script(n % 3 === 0 ? `return redis.error_reply('ERR no ${n}')` : `return ${n}`)
      .run([], [])
      .then(
        (reply) => outcomes.push(String(reply)),
        (error: unknown) => outcomes.push(String(error)),
      ),
  )
  await Promise.all(runs)
  expect(outcomes).toEqual(Array.from({ length: 20 }, (_, n) => (n % 3 === 0 ? `ReplyError: ERR no ${n}` : String(n))))
})

test('[S5] scripts are commands of ioredis where the application traces them', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  const script = pubsub.link.script('return ARGV[1]')
  await script.run([], ['untraced'])
  const traced: unknown[] = []
  const onStart = (context: unknown): void => void traced.push(Reflect.get(Object(context), 'command'))
  const channel = tracingChannel('ioredis:command').start
  channel.subscribe(onStart)
  onTestFinished(() => {
    channel.unsubscribe(onStart)
  })
  expect(await script.run([], ['traced'])).toBe('traced')
  expect(traced).toContain('EVALSHA')
})

test('[S5] scripts and commands started in one order are executed in that order', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const runs = Array.from({ length: 100 }, (_, n) => {
    if (n % 2 === 0) return pubsub.link.command('RPUSH', 'list', n)
    return pubsub.link.script(`return redis.call('RPUSH', KEYS[1], ARGV[1]) -- ${n % 7}`).run(['list'], [n])
  })
  expect(await Promise.all(runs)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1))
})

test('[S5] scripts run even if they may not be loaded in advance', async () => {
  const redis = await testRedis()
  await observer(redis).acl('SETUSER', 'ann', 'on', '>pw', '~*', '&*', '+@all', '-script|load')
  const { pubsub, errors } = connect({ host: redis.host, port: redis.port, username: 'ann', password: 'pw' })
  await pubsub.link.ready
  expect(await pubsub.link.script(APPEND).run(['list'], ['a'])).toBe(1)
  expect(errors).toEqual([])
})

test('[S5] a script that does not compile rejects with its own error', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  await expect(pubsub.link.script('return (').run([], [])).rejects.toThrow(/Error compiling script/)
})
