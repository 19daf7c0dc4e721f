import { expect, test } from 'vitest'
import { freshKey, lockClient } from '../src/testing/locks/lock-client.ts'
import { startInstance, useRedis } from './cluster.ts'
import { commandsOf, heartbeatsOf } from './commands-of.ts'

const server = useRedis()
/** Without heartbeats during the test. */
const QUIET = { heartbeatMs: 60_000, leaseMs: 180_000 }
const IDLE_BEATS = 5

test('an acquire is two scripts, a release is one, and a queued grant costs no more', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [
    await startInstance({ url: server.redis.url, prefix }, QUIET),
    await startInstance({ url: server.redis.url, prefix }, QUIET),
  ]
  const [here, there] = [first.coordination.locks, second.coordination.locks]
  /** Follows what was sent on the same connections. */
  const flush = () => Promise.all([first, second].map(({ pubsub }) => pubsub.link.command('PING')))
  const counted = (work: () => Promise<unknown>) =>
    commandsOf(server.client, async () => {
      await work()
      await flush()
    })
  const [holder, next] = [lockClient(), lockClient()]
  // The first lock of a topic also subscribes to it.
  await lockClient().take(here, freshKey())
  await lockClient().take(there, freshKey())
  const key = freshKey()
  let token = 0
  const acquire = async (): Promise<void> => {
    token = await holder.take(here, key)
  }
  expect(await counted(acquire)).toEqual({ evalsha: 2, sadd: 1, publish: 1 })
  expect(await counted(() => here.release(key, holder.connectionId, token))).toEqual({ evalsha: 1, publish: 1, srem: 1 })
  await acquire()
  expect(await counted(() => next.acquire(there, key, { waits: true }))).toEqual({ evalsha: 2, sadd: 1 })
  const granted = await counted(async () => {
    await here.release(key, holder.connectionId, token)
    await next.until(() => next.events.length === 1)
  })
  expect(granted).toEqual({ evalsha: 1, publish: 1, srem: 1 })
})

test('[L3] 1,000 locks of connected holders cost nothing', async () => {
  const { prefix } = server.prefix()
  const { coordination } = await startInstance({ url: server.redis.url, prefix })
  const client = lockClient()
  await Promise.all(Array.from({ length: 1_000 }, (_, number) => client.take(coordination.locks, `form:${number}`)))
  const beats = () => heartbeatsOf(server.client, prefix, coordination.instance.id, IDLE_BEATS)
  // What the grants have begun ends first.
  await beats()
  const idle = await commandsOf(server.client, beats)
  expect(idle).toEqual({ evalsha: expect.toSatisfy((count: number) => count === IDLE_BEATS || count === IDLE_BEATS + 1) })
})
