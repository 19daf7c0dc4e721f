import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { freshClient, reconnected, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, TIMES, useRedis } from './cluster.ts'

const server = useRedis()
const start = (prefix: string, options = {}) => startInstance({ url: server.redis.url, prefix }, options)

test('[P4] after a clean close, members that reconnect stay and the others leave', async () => {
  const { prefix, keys } = server.prefix()
  const [closing, living] = [await start(prefix), await start(prefix)]
  const members = living.coordination.members('a')
  const seen = await record(members)
  const [moving, lost] = [freshClient(), freshClient()]
  const { id } = await closing.coordination.members('a').join(moving, 1)
  const gone = await closing.coordination.members('a').join(lost, 1)
  for (const { connectionId } of [moving, lost]) closing.coordination.members('a').disconnect(connectionId)
  await closing.coordination.close()
  const again = reconnected(moving)
  expect((await members.join(again, 1)).id).toBe(id)
  await seen.until(() => seen.left.length > 0)
  expect(seen.left).toEqual([gone.id])
  await members.leave(again.connectionId)
  await eventually(async () => expect(await keys()).toEqual([`{${prefix}$instances:all}$leases`]))
})

test('[C5] close releases the lease', async () => {
  const { prefix } = server.prefix()
  const [closing, living] = [await start(prefix), await start(prefix)]
  const { id } = closing.coordination.instance
  await eventually(() => expect(living.coordination.instance.live.has(id)).toBe(true))
  await closing.coordination.close()
  expect(await server.client.zscore(`{${prefix}$instances:all}$leases`, id)).toBeNull()
  await eventually(() => expect([...living.coordination.instance.live]).toEqual([living.coordination.instance.id]))
})

test('[P4] after the last instance closed, nothing remains but versions', async () => {
  const { prefix, keys } = server.prefix()
  const [first, second] = [await start(prefix), await start(prefix)]
  await first.coordination.members('a').join(freshClient())
  await second.coordination.members('a').join(freshClient())
  await second.coordination.members('b').join(freshClient())
  await first.coordination.close()
  await second.coordination.close()
  // After a stall of the machine there is also the mark that no lease ends, for a while.
  const left = (await keys()).filter((key) => !key.endsWith('$quiet'))
  expect(left).toHaveLength(5)
  for (const key of left) expect(await server.client.pttl(key)).toBeGreaterThan(0)
  await eventually(async () => expect(await keys()).toEqual([]))
  expect(await server.client.keys(`{${prefix}$*`)).toEqual([])
})

test('[P4] an instance that starts in time continues with the members of the last one', async () => {
  const { prefix, keys } = server.prefix()
  const times = { graceMs: 2 * TIMES.leaseMs }
  const last = await start(prefix, times)
  const clients = [freshClient(), freshClient()] as const
  const ids: string[] = []
  for (const client of clients) ids.push((await last.coordination.members('a').join(client, 1)).id)
  await last.coordination.close()
  const next = await start(prefix, times)
  const members = next.coordination.members('a')
  const seen = await record(members)
  expect([...seen.view.members.keys()]).toEqual(ids)
  expect((await members.join(reconnected(clients[0]), 1)).id).toBe(ids[0])
  await seen.until(() => seen.left.length > 0)
  expect(seen.left).toEqual(ids.slice(1))
  await eventually(async () => expect(await keys()).toHaveLength(3))
  for (const key of await keys()) expect(await server.client.pttl(key)).toBe(-1)
})

test('[P3] the first instance after all were killed sweeps the rest', async () => {
  const { prefix, keys } = server.prefix()
  const killed = await start(prefix)
  await killed.coordination.members('a').join(freshClient())
  await killed.kill()
  const first = await start(prefix)
  const seen = await record(first.coordination.members('a'))
  expect(seen.view.count).toBe(1)
  await seen.until(() => seen.view.count === 0)
  await eventually(async () => expect(await keys()).toEqual([`{${prefix}$instances:all}$leases`]))
})
