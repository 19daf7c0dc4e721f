import { RealtimeError } from '@tutti/protocol'
import { eventually, startTcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { commandCalls, connect, observer, testRedis } from './setup.ts'

/** Appends, or executes the command in the text. */
const STEP = `
if ARGV[1] == 'error' then return redis.error_reply('REFUSED as asked') end
if ARGV[1] == 'throw' then error('thrown') end
if ARGV[1] == 'type' then return redis.call('INCR', KEYS[1]) end
if ARGV[1] == 'nothing' then return false end
if ARGV[1] == 'look' then return redis.call('LLEN', KEYS[1]) end
return { redis.call('RPUSH', KEYS[1], ARGV[1]), ARGV[2] or false, #KEYS, #ARGV }
`

const outcomes = (runs: readonly Promise<unknown>[]): Promise<unknown[]> =>
  Promise.all(runs.map((run) => run.catch((error: unknown) => (error instanceof RealtimeError ? error.code : String(error)))))

test('[S5] joined runs have the replies and errors that each would have alone', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const script = pubsub.link.script(STEP)
  const steps = ['a', 'error', 'b', 'throw', 'nothing', 'type', 'c', 'look']
  const args = steps.map((step, index) => (index % 2 ? [step] : [step, 'ü']))
  const joined = await outcomes(steps.map((_, index) => script.run(['list', 'other'].slice(0, 1 + (index % 2)), args[index] ?? [])))
  await pubsub.link.command('DEL', 'list')
  const alone: unknown[] = []
  for (const [index] of steps.entries()) {
    alone.push(...(await outcomes([script.run(['list', 'other'].slice(0, 1 + (index % 2)), args[index] ?? [])])))
  }
  const plain = (list: unknown[]): unknown[] =>
    list.map((one) => String(one).replace(/ script: \w+, on @user_script:\d+\.$|user_script:\d+: /g, ''))
  expect(plain(joined)).toEqual(plain(alone))
  expect(joined[0]).toEqual([1, 'ü', 1, 2])
  expect(joined.slice(1, 3)).toEqual(['ReplyError: REFUSED as asked', [2, 'ü', 1, 2]])
  expect((await commandCalls(observer(redis)))['evalsha']).toBe(1 + steps.length)
})

test('[S5] runs with one list of keys send it once, and finish runs once per command', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const script = pubsub.link.script({
    setup: 'local added = {}',
    run: `if ARGV[1] == 'throw' then error('thrown') end
added[#added + 1] = ARGV[1]
return { KEYS[1], #KEYS, ARGV[1], #ARGV }`,
    finish: `redis.call('RPUSH', 'commands', table.concat(added, ' '))`,
  })
  const [one, two] = [['a'], ['b', 'c']]
  const fresh = (): string[] => ['d']
  const steps: [keys: string[], args: string[]][] = [
    ...([one, one, one] as const).map((keys, place): [string[], string[]] => [keys, [`${place}`]]),
    ...[[one, ['3', 'x']] as [string[], string[]], [one, ['throw', 'x']] as [string[], string[]]],
    ...([two, two, fresh(), fresh(), one, one, fresh()] as const).map((keys, place): [string[], string[]] => [keys, [`${place + 5}`]]),
  ]
  const replies = await outcomes(steps.map(([keys, args]) => script.run(keys, args)))
  const expected = steps.map(([keys, args]) =>
    args[0] === 'throw' ? expect.stringContaining('thrown') : [keys[0], keys.length, args[0], args.length],
  )
  expect(replies).toEqual(expected)
  expect(await outcomes([script.run(one, ['alone'])])).toEqual([['a', 1, 'alone', 1]])
  expect(await pubsub.link.command('LRANGE', 'commands', 0, -1)).toEqual(['0 1 2 3 5 6 7 8 9 10 11', 'alone'])
})

test('[S5] a grouped script runs once for consecutive runs with one list of keys', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const script = pubsub.link.script({
    setup: 'local groups = 0',
    run: `groups = groups + 1
for i = 1, runs do
  local first = ARGV[before + (i - 1) * size + 1]
  if first == 'throw' then error('thrown') end
  replies[number + i] = first ~= 'nothing' and table.concat({ groups, #KEYS, KEYS[1], first, size }, ' ')
end`,
    finish: `redis.call('RPUSH', 'groups', groups)`,
    isGrouped: true,
    shared: { SHARED: 'x' },
  })
  const [one, two] = [['a'], ['b', 'c']]
  const fresh = (): string[] => ['d']
  const steps: [keys: string[], args: string[]][] = [
    ...[one, one, one].map((keys, place): [string[], string[]] => [keys, [`${place}`]]),
    ...['3', 'throw', '5'].map((text): [string[], string[]] => [one, [text, 'x']]),
    ...[two, two, fresh(), fresh(), one].map((keys, place): [string[], string[]] => [keys, [`${place + 6}`]]),
    // A list that is sent for one run alone is sent again for the next ones.
    [one, ['nothing']],
  ]
  const thrown = expect.stringContaining('thrown')
  const expected = ['1 1 a 0 1', '1 1 a 1 1', '1 1 a 2 1', '2 1 a 3 2', thrown, thrown]
  expected.push('3 2 b 6 1', '3 2 b 7 1', '4 1 d 8 1', '5 1 d 9 1', '6 1 a 10 1', null)
  expect(await outcomes(steps.map(([keys, args]) => script.run(keys, args)))).toEqual(expected)
  expect(await outcomes([script.run(two, ['alone', 'y'])])).toEqual(['1 2 b alone 2'])
  expect(await outcomes([script.run(one, ['throw'])])).toEqual([thrown])
  expect(await pubsub.link.command('LRANGE', 'groups', 0, -1)).toEqual(['7', '1'])
})

test('[S5] at most 128 runs or 262,144 characters are joined; a larger run goes alone', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const observing = observer(redis)
  const script = pubsub.link.script(STEP)
  await outcomes(Array.from({ length: 300 }, (_, n) => script.run(['list'], [n])))
  expect((await commandCalls(observing))['evalsha']).toBe(3)
  const large = 'x'.repeat(200_000)
  await outcomes([script.run(['list'], [large]), script.run(['list'], [large]), script.run(['list'], [`${large}${large}`])])
  expect((await commandCalls(observing))['evalsha']).toBe(6)
  expect(await pubsub.link.command('LLEN', 'list')).toBe(303)
})

test('[S5] [N5] unanswered joined runs are OUTCOME_UNKNOWN, unsent ones UNAVAILABLE', async () => {
  const redis = await testRedis()
  const proxy = await startTcpProxy(redis)
  onTestFinished(() => proxy.close())
  const { pubsub } = connect({ port: proxy.port, host: '127.0.0.1' })
  await pubsub.link.ready
  const script = pubsub.link.script(STEP)
  await script.run(['list'], ['0'])
  proxy.stall('down')
  const unanswered = outcomes([script.run(['list'], ['a']), script.run(['list'], ['b']), script.run(['list'], ['c'])])
  await eventually(async () => expect(await observer(redis).llen('list')).toBe(4))
  proxy.cut()
  expect(await unanswered).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'])
  await eventually(() => expect(pubsub.status).toBe('unavailable'))
  expect(await outcomes([script.run(['list'], ['d']), script.run(['list'], ['e'])])).toEqual(['UNAVAILABLE', 'UNAVAILABLE'])
})

test('[N10] a Redis that cannot serve refuses joined runs like single ones', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const script = pubsub.link.script(STEP)
  await script.run(['list'], ['0'])
  const observing = observer(redis)
  await observing.config('SET', 'maxmemory', '1')
  // A read is served, regardless of its position.
  const refused = ['UNAVAILABLE', 'UNAVAILABLE']
  expect(await outcomes([script.run(['list'], ['a']), script.run(['list'], ['b'])])).toEqual(refused)
  expect(await outcomes([script.run(['list'], ['look']), script.run(['list'], ['a']), script.run(['list'], ['b'])])).toEqual([
    1,
    ...refused,
  ])
  await observing.config('SET', 'maxmemory', '0')
  expect(await outcomes([script.run(['list'], ['a']), script.run(['list'], ['look'])])).toEqual([[2, null, 1, 1], 2])
  await observing.replicaof('127.0.0.1', '1')
  expect(await outcomes([script.run(['list'], ['look']), script.run(['list'], ['a'])])).toEqual([2, 'UNAVAILABLE'])
  // As after a failover, the connection is replaced: the address may lead to the new master.
  await observing.replicaof('NO', 'ONE')
  await eventually(async () => expect(await outcomes([script.run(['list'], ['c'])])).toEqual([[3, null, 1, 1]]))
})

test('[N7] runs that were started before dispose are sent', async () => {
  const redis = await testRedis()
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  const script = pubsub.link.script(STEP)
  const runs = outcomes([script.run(['list'], ['a']), script.run(['list'], ['b'])])
  await pubsub.dispose()
  expect(await runs).toEqual([
    [1, null, 1, 1],
    [2, null, 1, 1],
  ])
  await expect(script.run(['list'], ['c'])).rejects.toMatchObject({ code: 'CLOSED' })
})
