import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, freePort } from '@tutti/test-kit'
import { expect, onTestFinished, test, vi } from 'vitest'
import { createRedisCoordination } from '../src/index.ts'
import { JITTER_MS, leaseScript } from '../src/redis/lease-script.ts'
import { redisLayout } from '../src/redis/redis-layout.ts'
import { freshClient, reconnected, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, TIMES, useRedis } from './cluster.ts'

const server = useRedis()
const start = (prefix: string, options = {}) => startInstance({ url: server.redis.url, prefix }, options)

test('[P3] a killed instance leaves no member and no key of its lease behind', async () => {
  const { prefix, keys } = server.prefix()
  const [dying, second, third] = [await start(prefix), await start(prefix), await start(prefix)]
  const empty: string[] = []
  for (const { coordination } of [second, third]) coordination.onRoomEmpty((room) => empty.push(room))
  const rooms = ['a', 'b', 'c']
  const seen = await Promise.all(rooms.map((room) => record(second.coordination.members(room))))
  const ids = await Promise.all(rooms.map((room) => dying.coordination.members(room).join(freshClient())))
  const other = await third.coordination.members('a').join(freshClient())
  const lease = dying.coordination.instance.id
  await dying.kill()
  await Promise.all(seen.map((view, n) => view.until(() => view.left.includes(ids[n]?.id ?? ''))))
  expect(seen.map(({ left }) => left)).toEqual(ids.map(({ id }) => [id]))
  expect([...(seen[0]?.view.members.keys() ?? [])]).toEqual([other.id])
  const live = third.coordination.instance.id
  await eventually(async () =>
    expect(await keys()).toEqual([`{${prefix}$instance:${live}}$holds`, `{${prefix}$instances:all}$leases`, `{${prefix}$room:a}$members`]),
  )
  // Each instance learns it with its next heartbeat.
  await eventually(() => expect(second.coordination.instance.live.has(lease)).toBe(false))
  await eventually(() => expect(empty.toSorted()).toEqual(['b', 'c']))
})

test('[P3] members of a killed instance that reconnect elsewhere stay', async () => {
  const { prefix } = server.prefix()
  const [dying, living] = [await start(prefix), await start(prefix)]
  const members = living.coordination.members('a')
  const seen = await record(members)
  const [moving, lost] = [freshClient(), freshClient()]
  const { id } = await dying.coordination.members('a').join(moving, 1)
  const gone = await dying.coordination.members('a').join(lost, 1)
  await dying.kill()
  expect((await members.join(reconnected(moving), 1)).id).toBe(id)
  await seen.until(() => seen.left.length > 0)
  expect(seen.left).toEqual([gone.id])
  expect(seen.changes.filter(({ updated }) => updated.length > 0)).toEqual([])
})

test('[P3] a sweep that its instance does not finish is continued by another one', async () => {
  const { prefix, keys } = server.prefix()
  const living = await start(prefix)
  const dying = await start(prefix)
  const seen = await record(living.coordination.members('a'))
  const { id } = await dying.coordination.members('a').join(freshClient())
  await dying.kill()
  const [leases, ended, quiet] = redisLayout(living.pubsub.link).leases
  const lease = dying.coordination.instance.id
  // Another instance claims the sweep, and is killed before it removes anything.
  const claim = await server.client
    .multi()
    .zrem(leases, lease)
    .zadd(ended, 1, lease)
    .eval(leaseScript(TIMES), 3, leases, ended, quiet, 'claimer.1', 'register', '')
    .zscore(ended, lease)
    .exec()
  const reply = claim?.[2]?.[1]
  expect(reply).toContainEqual([lease])
  // Two instances may die so, one after the other, within the second that P3 and L3 add to the grace.
  const claimMs = Number(claim?.[3]?.[1]) - Number(Array.isArray(reply) ? reply[1] : 0)
  expect(3 * JITTER_MS + 2 * claimMs).toBeLessThan(1_000)
  await seen.until(() => seen.left.length > 0)
  expect(seen.left).toEqual([id])
  await eventually(async () => expect(await keys()).toEqual([leases]))
})

test('[P3] two sweeps of one lease at once report each member once', async () => {
  const { prefix } = server.prefix()
  const living = [await start(prefix), await start(prefix)]
  const dying = await start(prefix)
  const seen = await Promise.all(living.map(({ coordination }) => record(coordination.members('a'))))
  const joined = await Promise.all(Array.from({ length: 250 }, () => dying.coordination.members('a').join(freshClient())))
  await dying.kill()
  const lease = dying.coordination.instance.id
  await Promise.all(
    living.map(async ({ coordination }) => {
      // Due again at once, for the next heartbeat of each.
      await server.client.zrem(`{${prefix}$instances:all}$leases`, lease)
      await server.client.zadd(`{${prefix}$instances:all}$ended`, 1, lease)
      await coordination.instance.ready
    }),
  )
  for (const view of seen) {
    await view.until(() => view.left.length >= 250)
    expect(view.left.toSorted()).toEqual(joined.map(({ id }) => id).toSorted())
    expect(view.view.count).toBe(0)
  }
})

test('[P3] an instance whose lease ended registers again and restores its members', async () => {
  const { prefix, keys } = server.prefix()
  const [lost, other] = [await start(prefix), await start(prefix)]
  const calls: string[] = []
  lost.coordination.instance.onLost(() => calls.push(lost.coordination.instance.id))
  const { id } = await lost.coordination.members('a').join(freshClient(), 1)
  const lease = lost.coordination.instance.id
  const seen = await record(other.coordination.members('a'))
  await server.client.zrem(`{${prefix}$instances:all}$leases`, lease)
  await eventually(() => expect(calls).toHaveLength(1))
  const next = lost.coordination.instance.id
  expect(calls).toEqual([next])
  expect(next).toBe(lease.replace(/\.1$/, '.2'))
  await eventually(async () => {
    expect((await server.client.hvals(`{${prefix}$room:a}$members`)).map((text) => text.split(' ')[0])).toEqual([next])
    expect(await keys()).toContain(`{${prefix}$instance:${next}}$holds`)
  })
  // Nothing has ended the former lease, as after a partial loss of data: what it holds is swept all the same.
  await eventually(async () => {
    expect(await keys()).not.toContain(`{${prefix}$instance:${lease}}$holds`)
    expect(await keys()).not.toContain(`{${prefix}$instances:all}$ended`)
  })
  expect(seen.changes).toEqual([])
  expect([...seen.view.members.keys()]).toEqual([id])
})

test('[P3] no member is reported as gone when Redis restarts without its data', async () => {
  const { prefix } = server.prefix()
  const instances = [await start(prefix), await start(prefix)]
  const [first, second] = instances.map(({ coordination }) => coordination.members('a'))
  if (first === undefined || second === undefined) throw new Error('There are two.')
  const seen = [await record(first), await record(second)]
  const clients = Array.from({ length: 6 }, () => freshClient())
  const ids: string[] = []
  for (const [n, client] of clients.entries()) ids.push((await (n % 2 === 0 ? first : second).join(client, n)).id)
  await Promise.all(seen.map((view) => view.until(() => view.view.count === 6)))
  await server.redis.restart()
  await eventually(async () => expect(await server.client.hlen(`{${prefix}$room:a}$members`)).toBe(6))
  // A member that really leaves is reported, after all that the restart caused.
  const [client] = clients
  await eventually(() => first.leave(client?.connectionId ?? ''))
  await Promise.all(seen.map((view) => view.until(() => view.left.length > 0)))
  await eventually(async () => {
    const leases = (await server.client.hvals(`{${prefix}$room:a}$members`)).map((text) => text.split(' ')[0])
    const ids = instances.map(({ coordination }) => coordination.instance.id)
    expect(new Set(leases)).toEqual(new Set(ids))
  })
  for (const { left, view, changes } of seen) {
    expect(left).toEqual(ids.slice(0, 1))
    expect([...view.members.keys()].toSorted()).toEqual(ids.slice(1).toSorted())
    expect(changes.every(({ count }) => count <= 6)).toBe(true)
  }
})

test('[P3] a member missing after a loss of data is reported after one lease', async () => {
  const { prefix } = server.prefix()
  const [dying, living] = [await start(prefix), await start(prefix)]
  const seen = await record(living.coordination.members('a'))
  const { id } = await dying.coordination.members('a').join(freshClient())
  await dying.kill()
  await server.redis.restart()
  await seen.until(() => seen.left.length > 0)
  expect(seen.changes.at(-1)).toEqual({ joined: [], updated: [], left: [id], count: 0 })
})

test('[P3] a heartbeat after a silence of all instances ends no lease', async () => {
  const { prefix } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  const client = freshClient()
  await first.coordination.members('a').join(client)
  const seen = await record(second.coordination.members('a'))
  const lost: string[] = []
  for (const { coordination } of [first, second]) coordination.instance.onLost(() => lost.push(coordination.instance.id))
  await server.client.client('PAUSE', TIMES.leaseMs * 1.5, 'ALL')
  await server.client.ping()
  await eventually(async () => expect(await server.client.exists(`{${prefix}$instances:all}$quiet`)).toBe(1))
  await eventually(async () => expect(await server.client.exists(`{${prefix}$instances:all}$quiet`)).toBe(0))
  await first.coordination.members('a').update(client.connectionId, 1)
  await seen.until(() => seen.changes.length > 0)
  expect([lost, seen.left]).toEqual([[], []])
})

test('[P3] expiries that are too far ahead, as after a clock was set back, are lowered', async () => {
  const { prefix } = server.prefix()
  const living = await start(prefix)
  const [leases, ended] = [`{${prefix}$instances:all}$leases`, `{${prefix}$instances:all}$ended`]
  await server.client.zadd(leases, Date.now() + 3_600_000, 'dead.1')
  await server.client.zadd(ended, Date.now() + 3_600_000, 'dead.2')
  // Each ends on its own: the first one becomes due for a sweep when its lowered lease has passed.
  await eventually(async () => expect(await server.client.zrange(leases, 0, -1)).toEqual([living.coordination.instance.id]))
  await eventually(async () => expect(await server.client.zcard(ended)).toBe(0))
})

test('[N5] heartbeats report no outage of Redis: the link does', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  const reported: unknown[] = []
  const onError = (_error: unknown, { stage }: { stage: string }): void => void reported.push(stage)
  const pubsub = new RealtimePubSub({ url: `redis://127.0.0.1:${await freePort()}`, onError })
  const coordination = createRedisCoordination(pubsub.link, { ...TIMES, instanceId: pubsub.instanceId, onError })
  onTestFinished(async () => {
    vi.useRealTimers()
    await coordination.close()
    await pubsub.dispose()
  })
  for (let beats = 0; beats < 2; beats += 1) {
    vi.advanceTimersByTime(TIMES.heartbeatMs)
    // Awaits the heartbeat that runs.
    await expect(coordination.handover.begin('work')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  }
  expect(reported).toEqual(['connection'])
})
