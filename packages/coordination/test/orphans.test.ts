import { startTcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { freshKey, lockClient } from '../src/testing/locks/lock-client.ts'
import { startInstance, TIMES, useRedis } from './cluster.ts'

const server = useRedis()
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test.each([{ isAway: false }, { isAway: true }])(
  '[L3] a lock of an unknown lease ends; Redis is away then: $isAway',
  async ({ isAway }) => {
    const { prefix } = server.prefix()
    const { port } = new URL(server.redis.url)
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(port) })
    onTestFinished(() => proxy.close())
    const dead = await startInstance({ url: server.redis.url, prefix })
    const [ann, key] = [lockClient('ann'), freshKey()]
    await ann.take(dead.coordination.locks, key)
    const lease = dead.coordination.instance.id
    await dead.pubsub.dispose()
    // Its registration is lost, as by a clock that was set back.
    for (const name of await server.client.keys(`*${prefix}*`)) {
      if ((await server.client.type(name)) === 'zset') await server.client.zrem(name, lease)
    }
    const { coordination } = await startInstance({ url: `redis://127.0.0.1:${proxy.port}`, prefix })
    const bob = lockClient('bob')
    expect(await bob.acquire(coordination.locks, key, { waits: true })).toMatchObject({ state: 'waiting' })
    if (isAway) {
      await wait(TIMES.leaseMs / 2)
      proxy.refuse()
      await wait(TIMES.leaseMs)
      proxy.flow()
    }
    await Promise.race([bob.until(() => bob.events.length > 0), wait(8_000)])
    expect(bob.events).toMatchObject([{ kind: 'granted' }])
  },
)
