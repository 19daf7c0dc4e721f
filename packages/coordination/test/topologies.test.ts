import { sendToRedis, documentedAcl, eventually, startRedis, startRedisCluster, startSentinel } from '@tutti/test-kit'
import type { RealtimePubSubOptions } from '@tutti/pubsub'
import { RealtimePubSub } from '@tutti/pubsub'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createRedisCoordination, type Locks } from '../src/index.ts'
import { coordinationContract } from '../src/testing/index.ts'
import { freshClient, reconnected, record } from '../src/testing/coordination-under-test.ts'
import { lockClient, type LockClient } from '../src/testing/locks/lock-client.ts'
import { startInstance } from './cluster.ts'

let cluster: Awaited<ReturnType<typeof startRedisCluster>>
beforeAll(async () => {
  cluster = await startRedisCluster()
})
afterAll(() => cluster.stop())

coordinationContract('on a Cluster', async (options) => {
  const start = async () => {
    const pubsub = new RealtimePubSub({ cluster: cluster.addresses })
    const coordination = createRedisCoordination(pubsub.link, { ...options, instanceId: pubsub.instanceId })
    await coordination.instance.ready
    return { pubsub, coordination }
  }
  const [first, second] = [await start(), await start()]
  return {
    ...{ coordination: first.coordination, other: second.coordination },
    dispose: async () => {
      for (const { pubsub, coordination } of [first, second]) {
        await coordination.close()
        await pubsub.dispose()
      }
    },
  }
})

/** Two instances with a member each, of which no leave is reported while `fail` runs, and which then are as before. */
async function expectSurvival(place: RealtimePubSubOptions, fail: () => Promise<unknown>): Promise<void> {
  const [first, second] = [await startInstance(place), await startInstance(place)]
  const [here, there] = [first.coordination.members('a'), second.coordination.members('a')]
  const seen = [await record(here), await record(there)]
  const client = freshClient()
  const ids = [(await here.join(client, 1)).id, (await there.join(freshClient(), 1)).id]
  for (const view of seen) await view.until(() => view.view.count === 2)
  await fail()
  await eventually(() => here.update(client.connectionId, 2))
  for (const view of seen) {
    await view.until(() => [...view.view.members.values()].some(({ info }) => info === 2))
    expect(view.left).toEqual([])
    expect([...view.view.members.keys()].toSorted()).toEqual(ids.toSorted())
  }
  const again = reconnected(client)
  expect((await eventually(() => there.join(again, 3))).id).toBe(ids[0])
}

test('[P3] no member is reported as gone after a failover by Sentinel', async () => {
  const sentinel = await startSentinel()
  onTestFinished(() => sentinel.stop())
  await expectSurvival({ sentinels: sentinel.sentinels, name: sentinel.name }, () => sentinel.failOver())
})

test('[P3] on a Cluster, a killed instance leaves no member behind', async () => {
  for (const node of cluster.nodes) await sendToRedis(node, 'FLUSHALL')
  const [dying, living] = [await startInstance({ cluster: cluster.addresses }), await startInstance({ cluster: cluster.addresses })]
  const rooms = Array.from({ length: 12 }, (_, n) => `room${n}`)
  const seen = await Promise.all(rooms.map((room) => record(living.coordination.members(room))))
  await Promise.all(rooms.map((room) => dying.coordination.members(room).join(freshClient())))
  await dying.kill()
  await Promise.all(seen.map((view) => view.until(() => view.left.length === 1)))
  await eventually(async () => {
    const keys = (await Promise.all(cluster.nodes.map((node) => sendToRedis(node, 'KEYS', '*')))).flat().map(String)
    expect(keys.filter((key) => !key.endsWith('$version'))).toEqual(['{tutti$instances:all}$leases'])
  })
})

/** Uses every command of locks. The client that is returned waits for a lock of the first instance. */
async function useLocks(first: Locks, second: Locks): Promise<LockClient> {
  const [holder, next, other] = [lockClient(), lockClient(), lockClient()]
  await holder.take(first, 'form:a')
  await next.acquire(second, 'form:a', { waits: true })
  await next.acquire(second, 'form:a', { waits: true })
  await other.acquire(second, 'form:a', { waits: true, request: 'r' })
  await second.cancel('form:a', other.connectionId, 'r')
  const token = await other.take(second, 'form:b')
  await second.release('form:b', other.connectionId, token)
  expect([...(await second.list('form:')).keys()]).toEqual(['form:a'])
  return next
}

test('[docs] the documented ACL is sufficient', async () => {
  const acl = documentedAcl()
  const redis = await startRedis({ users: acl.users })
  onTestFinished(() => redis.stop())
  const url = redis.url.replace('//', `//${acl.credentials}@`)
  const [dying, living] = [await startInstance({ url }), await startInstance({ url })]
  const seen = await record(living.coordination.members('a'))
  const leaving = freshClient()
  await dying.coordination.members('a').join(freshClient(), 1)
  await living.coordination.members('a').join(leaving, 1)
  await living.coordination.members('a').leave(leaving.connectionId)
  const next = await useLocks(dying.coordination.locks, living.coordination.locks)
  await dying.kill()
  await seen.until(() => seen.left.length === 2)
  await next.until(() => next.events.length === 1)
  await living.coordination.members('a').join(freshClient())
  await living.coordination.close()
  expect([...dying.errors, ...living.errors]).toEqual([])
})

test('[docs] the documented ACL, with its part for a Cluster, is sufficient', async () => {
  const more = /^```acl-cluster\n(.*)\n```$/m.exec(readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8'))?.[1] ?? ''
  const [, username = '', rules = ''] = /^user (tutti) (.*)$/m.exec(documentedAcl().users) ?? []
  for (const node of cluster.nodes) await sendToRedis(node, 'ACL', 'SETUSER', username, ...`${rules} ${more}`.split(' '))
  const password = /(?:^| )>(\S+)/.exec(rules)?.[1] ?? ''
  const { coordination, errors } = await startInstance({ cluster: cluster.addresses, username, password })
  const client = freshClient()
  await coordination.members('a').join(client, 1)
  await coordination.members('a').leave(client.connectionId)
  await coordination.members('a').join(client, 1)
  await useLocks(coordination.locks, coordination.locks)
  await coordination.close()
  expect(errors).toEqual([])
})
