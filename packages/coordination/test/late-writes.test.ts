import { expect, test } from 'vitest'
import { createClockBounds } from '../src/redis/clock-bounds.ts'
import { createInstanceLease } from '../src/redis/instance-lease.ts'
import { createCoordinationScripts } from '../src/redis/room-store.ts'
import { redisLayout } from '../src/redis/redis-layout.ts'
import { freshClient, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, TIMES, useRedis } from './cluster.ts'

const server = useRedis()
const SETTINGS = { ...TIMES, maxMembers: 10, overflow: 'refuse', tombstoneMs: 10_000, onError: () => {} } as const

test('[P3] nothing is written under a lease that has ended or ends too far ahead', async () => {
  const { prefix, keys } = server.prefix()
  const { pubsub } = await startInstance({ url: server.redis.url, prefix })
  const scripts = createCoordinationScripts(pubsub.link, SETTINGS)
  const layout = redisLayout(pubsub.link)
  const before = await keys()
  const now = Date.now()
  for (const expiry of [now - 1_000, now + TIMES.leaseMs + 60_000]) {
    const args = [layout.redisChannel('a'), 'ann:1', 'x.1', expiry, 'c', '', 'id', 'ann', '1', 'l', '']
    expect(await scripts.write.run(layout.room('a'), args)).toEqual(['late'])
    expect(await scripts.hold.run([layout.holds('x.1')], ['room a', expiry])).toEqual(['late'])
  }
  expect(await keys()).toEqual(before)
  const args = [layout.redisChannel('a'), 'ann:1', 'x.1', now + TIMES.leaseMs - 50, 'c', '', 'id', 'ann', '1', 'l', '']
  expect(await scripts.write.run(layout.room('a'), args)).toContain('ok')
})

test('[P3] a write that is late for its lease is repeated under the next one', async () => {
  const { prefix } = server.prefix()
  const { pubsub } = await startInstance({ url: server.redis.url, prefix })
  const layout = redisLayout(pubsub.link)
  const lease = createInstanceLease({
    ...{
      link: pubsub.link,
      layout,
      instanceId: 'late',
      times: TIMES,
      onError: () => {},
      mayBegin: Promise.resolve(),
      clock: createClockBounds(() => 0),
      onBeat: () => {},
      onClaim: () => {},
    },
  })
  const tries: [string, number][] = []
  const reply = await lease.guard(async (id, expiry) => {
    tries.push([id, expiry])
    if (tries.length > 1) return ['ok']
    // The lease has ended, as after a stall of the event loop.
    await server.client.zrem(layout.leases[0], id)
    return ['late']
  })
  expect(reply).toEqual(['ok'])
  expect(tries.map(([id]) => id)).toEqual(['late.1', 'late.2'])
  expect(tries[1]?.[1]).toBe(Number(await server.client.zscore(layout.leases[0], 'late.2')))
  await expect(lease.guard(async () => ['late'])).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  await lease.close()
  await expect(lease.guard(async () => ['ok'])).rejects.toMatchObject({ code: 'CLOSED' })
})

test('[P3] members of an unknown lease are removed once a lease has passed', async () => {
  const { prefix } = server.prefix()
  const { coordination } = await startInstance({ url: server.redis.url, prefix })
  const [members, version] = [`{${prefix}$room:a}$members`, `{${prefix}$room:a}$version`]
  await server.client.hset(members, 'bob:1', 'unknown.1 c 1 orphan l bob 1')
  await server.client.set(version, '1')
  const seen = await record(coordination.members('a'))
  expect([...seen.view.members.keys()]).toEqual(['orphan'])
  await seen.until(() => seen.left.length > 0)
  expect(seen.left).toEqual(['orphan'])
  expect(await server.client.exists(members)).toBe(0)
  expect(await server.client.pttl(version)).toBeGreaterThan(0)
})

test('members of a lease that ended and is not swept yet are left to the sweep', async () => {
  const { prefix } = server.prefix()
  const times = { heartbeatMs: 50, leaseMs: 300, graceMs: 900 }
  const { coordination } = await startInstance({ url: server.redis.url, prefix }, times)
  const closing = await startInstance({ url: server.redis.url, prefix }, times)
  const { id } = await closing.coordination.members('a').join(freshClient())
  await closing.coordination.close()
  const closed = performance.now()
  const seen = await record(coordination.members('a'))
  await seen.until(() => seen.left.length > 0)
  expect(seen.left).toEqual([id])
  expect(performance.now() - closed).toBeGreaterThan(times.graceMs - 50)
})
