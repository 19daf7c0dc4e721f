import { eventually, seededRandom, startTcpProxy } from '@tutti/test-kit'
import { describe, expect, onTestFinished, test } from 'vitest'
import { freshKey, lockClient } from '../src/testing/locks/lock-client.ts'
import { startInstance, useRedis, type TestInstance } from './cluster.ts'

const server = useRedis()
/** Without heartbeats during the test. */
const QUIET = { heartbeatMs: 60_000, leaseMs: 180_000 }
const NAMES = ['evalsha', 'eval', 'subscribe', 'unsubscribe', 'publish', 'srem', 'sadd', 'smembers', 'get', 'mget', 'set', 'zadd', 'zrem']

/** The commands that instances send during the work, by name. What scripts call counts too. */
async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  await server.client.config('RESETSTAT')
  await work()
  const stats = await server.client.info('commandstats')
  const counts = [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name = '', count]) => [name, Number(count)] as const)
  return Object.fromEntries(counts.filter(([name]) => NAMES.includes(name)))
}

const start = (prefix: string, options = {}): Promise<TestInstance> => startInstance({ url: server.redis.url, prefix }, options)

test('[L1] 1,000 races of two instances grant each lock once', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  const random = seededRandom(Date.now() % 100_000)
  const race = async (): Promise<void> => {
    const key = freshKey()
    const clients = [first, second].map(({ coordination }) => ({ locks: coordination.locks, client: lockClient() }))
    if (random.below(2) === 0) clients.reverse()
    const replies = await Promise.all(clients.map(async ({ locks, client }) => client.acquire(locks, key, { waits: true })))
    expect(replies.map(({ state }) => state).toSorted(), `seed ${random.seed}`).toEqual(['granted', 'waiting'])
    const winner = clients[replies.findIndex(({ state }) => state === 'granted')]
    const loser = clients.find((one) => one !== winner)
    const [won] = replies.flatMap((reply) => (reply.state === 'granted' ? [reply.token] : []))
    if (winner === undefined || loser === undefined || won === undefined) throw new Error('One was granted.')
    await winner.locks.release(key, winner.client.connectionId, won)
    await loser.client.until(() => loser.client.events.length === 1)
    expect(loser.client.events[0]?.token).toBeGreaterThan(won)
    await loser.locks.release(key, loser.client.connectionId, loser.client.events[0]?.token ?? 0)
  }
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 50 }, race))
})

test('[P3] locks and requests of a killed instance end; the next request is granted', async () => {
  const { prefix, keys } = server.prefix()
  const [dying, living] = [await start(prefix), await start(prefix)]
  const key = freshKey()
  const [holder, behind, next] = [lockClient(), lockClient(), lockClient()]
  const token = await holder.take(dying.coordination.locks, key)
  await behind.acquire(dying.coordination.locks, key, { waits: true })
  await next.acquire(living.coordination.locks, key, { waits: true })
  await dying.kill()
  await next.until(() => next.events.length === 1)
  expect(next.events[0]?.token).toBeGreaterThan(token)
  await living.coordination.locks.release(key, next.connectionId, next.events[0]?.token ?? 0)
  await eventually(async () => expect(await keys()).toEqual([`{${prefix}$instances:all}$leases`]))
  expect(await server.client.get(`{tutti:${key}}$lock`)).toBe(`${next.events[0]?.token} d`)
  expect(await server.client.exists(`{tutti:${key}}$waiting`)).toBe(0)
})

test('[L3] a holder whose instance lost its lease is notified of another grant', async () => {
  const { prefix } = server.prefix()
  const [stalled, living] = [await start(prefix), await start(prefix)]
  const [taken, free] = [freshKey(), freshKey()]
  const [holder, next] = [lockClient(), lockClient()]
  const token = await holder.take(stalled.coordination.locks, taken)
  const kept = await holder.take(stalled.coordination.locks, free)
  await next.acquire(living.coordination.locks, taken, { waits: true })
  // As after a stall: its lease has ended, and another instance has swept one of its locks.
  await server.client.zrem(`{${prefix}$instances:all}$leases`, stalled.coordination.instance.id)
  await living.coordination.locks.end(taken)
  await next.until(() => next.events.length === 1)
  await holder.until(() => holder.events.length === 1)
  expect(holder.events).toMatchObject([{ kind: 'lost', token }])
  await eventually(() => expect(stalled.coordination.instance.id).toMatch(/\.2$/))
  // The other one carries the new lease, with its token.
  await eventually(async () => {
    const record = await server.client.get(`{tutti:${free}}$lock`)
    expect(record).toMatch(new RegExp(`^${kept} o .* ${stalled.coordination.instance.id} `))
  })
  expect(await lockClient().acquire(living.coordination.locks, free)).toMatchObject({ state: 'held' })
})

test('[L3] after a loss of data, locks keep their tokens and requests wait again', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  const key = freshKey()
  const [holder, next] = [lockClient(), lockClient()]
  const token = await holder.take(first.coordination.locks, key)
  await next.acquire(second.coordination.locks, key, { waits: true })
  await server.client.flushall()
  await eventually(async () => {
    expect(await server.client.get(`{tutti:${key}}$lock`)).toContain(`${token} o `)
    expect(await server.client.llen(`{tutti:${key}}$waiting`)).toBe(1)
  })
  expect([...holder.events, ...next.events]).toEqual([])
  await first.coordination.locks.release(key, holder.connectionId, token)
  await next.until(() => next.events.length === 1)
  expect(next.events[0]?.token).toBeGreaterThan(token)
})

describe('what a client ended while Redis was away is over when it requests the lock again', () => {
  const startCut = async () => {
    const { prefix } = server.prefix()
    const proxy = await startTcpProxy(server.redis)
    onTestFinished(() => proxy.close())
    const [living, cut] = [await start(prefix, QUIET), await startInstance({ host: proxy.host, port: proxy.port, prefix }, QUIET)]
    const [first, second] = [living.coordination.locks, cut.coordination.locks]
    /** Loses what `work` sends from the second instance. */
    const unsent = async (work: () => Promise<unknown>): Promise<void> => {
      proxy.drop('up')
      const done = work()
      proxy.cut()
      await done
      proxy.flow()
    }
    return { ...{ first, second, unsent, key: freshKey() }, holder: lockClient(), early: lockClient(), late: lockClient() }
  }
  const QUEUED = { waits: true, request: 'r1' }

  test('[L1] a cancelled request has lost its place', async () => {
    const { first, second, unsent, key, holder, early, late } = await startCut()
    const token = await holder.take(first, key)
    await early.acquire(second, key, QUEUED)
    await late.acquire(first, key, QUEUED)
    await unsent(() => second.cancel(key, early.connectionId, QUEUED.request))
    await eventually(() => early.acquire(second, key, { ...QUEUED, request: 'r2' }))
    await first.release(key, holder.connectionId, token)
    await Promise.race([late.until(() => late.events.length > 0), early.until(() => early.events.length > 0)])
    expect([late.events, early.events]).toMatchObject([[{ kind: 'granted' }], []])
  })

  test('[L1] a released lock belongs to the next request', async () => {
    const { first, second, unsent, key, early, late } = await startCut()
    const token = await early.take(second, key)
    await late.acquire(first, key, QUEUED)
    await unsent(() => second.release(key, early.connectionId, token))
    const again = early.reconnected()
    await eventually(async () => expect(await again.acquire(second, key, QUEUED)).toEqual({ state: 'waiting' }))
    await late.until(() => late.events.length > 0)
    expect(again.events).toEqual([])
  })
})

test('[P3] a lock of an unknown lease ends; none is written under an ended lease', async () => {
  const { prefix } = server.prefix()
  const { coordination } = await start(prefix)
  const key = freshKey()
  await server.client.set(`{tutti:${key}}$lock`, '1 o bob:1 0 unknown.1 c r bob ')
  const client = lockClient()
  expect(await client.acquire(coordination.locks, key, { waits: true })).toEqual({ state: 'waiting' })
  await client.until(() => client.events.length === 1)
  // The lease of the instance ends without its knowledge: the next request registers it first.
  await server.client.zrem(`{${prefix}$instances:all}$leases`, coordination.instance.id)
  await lockClient().take(coordination.locks, freshKey())
  await eventually(() => expect(coordination.instance.state).toBe('live'))
})

test('commands of an acquire, a release and a queued grant; an idle lock costs none', async () => {
  const { prefix } = server.prefix()
  const [{ coordination, pubsub }, other] = [await start(prefix, QUIET), await start(prefix, QUIET)]
  const { locks } = coordination
  // The first connection can be reported as a gap, after which locks are read again.
  await Promise.all([pubsub.link.ready, other.pubsub.link.ready])
  await lockClient().take(locks, 'todos:0')
  await pubsub.link.command('PING')
  const [first, second] = [lockClient(), lockClient()]
  let token = 0
  // The name is added to what the lease holds, then the lock is granted.
  const acquired = await commandsOf(async () => {
    token = await first.take(locks, 'todos:1')
  })
  expect(acquired).toEqual({ evalsha: 2, sadd: 1, get: 1, set: 1, zadd: 1, publish: 1 })
  const queued = await commandsOf(() => second.acquire(other.coordination.locks, 'todos:1', { waits: true }))
  expect(queued).toEqual({ evalsha: 2, sadd: 1, get: 1, subscribe: 1 })
  const granted = await commandsOf(async () => {
    await locks.release('todos:1', first.connectionId, token)
    await second.until(() => second.events.length === 1)
    // Follows on the same connection.
    await pubsub.link.command('PING')
  })
  expect(granted).toEqual({ evalsha: 1, get: 1, set: 1, zadd: 1, publish: 1, srem: 1 })
  const many = Array.from({ length: 1_000 }, (_, n) => n)
  await Promise.all(many.map((n) => first.take(locks, `todos:many:${n}`)))
  const idle = await commandsOf(async () => {
    for (const { link } of [pubsub, other.pubsub]) await link.command('PING')
  })
  expect(idle).toEqual({})
})
