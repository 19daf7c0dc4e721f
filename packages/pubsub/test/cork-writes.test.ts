import { redisOptions } from '@tutti/pubsub/redis'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { commandCalls, connect, observer, testRedis } from './setup.ts'

/** A pubsub over its own clients. If its streams cannot be corked, ioredis writes each command by itself. */
async function connected(canCork: boolean) {
  const redis = await testRedis()
  const clients = { pub: new Redis(redis.url, redisOptions()), sub: new Redis(redis.url, redisOptions()) }
  onTestFinished(() => Object.values(clients).forEach((client) => client.disconnect()))
  let writes = 0
  clients.pub.on('connect', () => {
    const { stream } = clients.pub
    if (!canCork) Object.assign(stream, { cork: undefined })
    const { _write, _writev } = stream
    Object.assign(stream, {
      _write: (...args: Parameters<typeof _write>) => {
        writes += 1
        _write.apply(stream, args)
      },
      _writev: (...args: Parameters<NonNullable<typeof _writev>>) => {
        writes += 1
        _writev?.apply(stream, args)
      },
    })
  })
  const { pubsub } = connect({ clients })
  await pubsub.link.ready
  const { pub } = clients
  return { pubsub, redis, pub, writes: () => writes }
}

const codes = async (calls: readonly Promise<unknown>[]): Promise<unknown[]> =>
  Promise.all(
    calls.map((call) =>
      call.then(
        () => 'done',
        (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
      ),
    ),
  )

test('[S5] commands of one turn are written together if the stream can be corked', async () => {
  const { pubsub, writes } = await connected(true)
  const before = writes()
  const script = pubsub.link.script(`return redis.call('INCR', KEYS[1])`)
  const calls = [pubsub.link.command('INCR', 'a'), script.run(['a'], []), pubsub.link.command('INCR', 'a')]
  expect(writes()).toBe(before)
  expect(await Promise.all(calls)).toEqual([1, 2, 3])
  expect(writes()).toBe(before + 1)
})

describe.each([{ canCork: true }, { canCork: false }])('with canCork: $canCork', ({ canCork }) => {
  test('[S5] commands and scripts are executed in the order in which they were started', async () => {
    const { pubsub } = await connected(canCork)
    const script = pubsub.link.script(`return redis.call('INCR', KEYS[1])`)
    for (let round = 0; round < 3; round += 1) {
      const calls = Array.from({ length: 9 }, (_, n) => (n % 3 === 0 ? pubsub.link.command('INCR', 'a') : script.run(['a'], [])))
      expect(await Promise.all(calls)).toEqual(Array.from({ length: 9 }, (_, n) => round * 9 + n + 1))
    }
  })

  test('[N5] a command of the turn in which the connection is lost is never sent later', async () => {
    const { pubsub, redis, pub } = await connected(canCork)
    const gap = new Promise<void>((resolve) => void pubsub.onGap(resolve))
    const script = pubsub.link.script(`return redis.call('INCR', KEYS[1])`)
    const calls = [pubsub.link.command('INCR', 'a'), pubsub.link.command('INCR', 'b'), script.run(['c'], [])]
    // Before the end of the turn: corked commands have not left the process, others have.
    pub.stream.destroy()
    for (const code of await codes(calls)) expect(['OUTCOME_UNKNOWN', 'UNAVAILABLE']).toContain(code)
    await gap
    const [ran, sent] = [await pubsub.link.command('EXISTS', 'a', 'b', 'c'), await commandCalls(observer(redis))]
    if (canCork) expect([ran, sent['incr']]).toEqual([0, undefined])
    // At most once each.
    else expect(sent['incr'] ?? 0).toBe(ran)
    expect(await codes([pubsub.link.command('INCR', 'd'), script.run(['c'], [])])).toEqual(['done', 'done'])
  })
})
