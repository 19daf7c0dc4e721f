import { eventually, startTcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { freshClient, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, TIMES, useRedis } from './cluster.ts'

const server = useRedis()

test('[P3] a view after a loss of data reports how long members may be missing', async () => {
  const { prefix } = server.prefix()
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const away = await startInstance({ host: proxy.host, port: proxy.port, prefix })
  const { id } = await away.coordination.members('a').join(freshClient())
  proxy.refuse()
  await server.redis.restart()
  const fresh = await startInstance({ url: server.redis.url, prefix })
  const seen = await record(fresh.coordination.members('a'))
  expect([...seen.view.members.keys()]).toEqual([])
  expect(seen.view.settlingMs).toSatisfy((ms: number) => ms > 0 && ms <= TIMES.leaseMs + TIMES.graceMs)
  proxy.flow()
  await seen.until(() => seen.view.members.has(id))
  await eventually(() => expect(seen.view.settlingMs).toBe(0))
  const later = await startInstance({ url: server.redis.url, prefix })
  await eventually(async () => {
    const { view } = await record(later.coordination.members('a'))
    const { settlingMs } = view
    view.close()
    expect(settlingMs).toBe(0)
  })
})

test('[P3] a view reports that members may be missing while Redis is unavailable', async () => {
  const { prefix } = server.prefix()
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const { coordination } = await startInstance({ host: proxy.host, port: proxy.port, prefix })
  const { view } = await record(coordination.members('a'))
  await coordination.members('a').join(freshClient())
  await eventually(() => expect(view.settlingMs).toBe(0))
  proxy.refuse()
  await eventually(() => expect(view.settlingMs).toBe(TIMES.leaseMs))
  proxy.flow()
  await eventually(() => expect(view.settlingMs).toBe(0))
})
