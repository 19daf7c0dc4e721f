import { eventually, startTcpProxy } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { freshClient, record } from '../src/testing/coordination-under-test.ts'
import { startInstance, useRedis } from './cluster.ts'

const server = useRedis()

test('[P2] a call whose reply from Redis is lost may be repeated as the same member', async () => {
  const { prefix } = server.prefix()
  const proxy = await startTcpProxy(server.redis)
  onTestFinished(() => proxy.close())
  const { coordination } = await startInstance({ host: proxy.host, port: proxy.port, prefix }, { leaseMs: 5_000 })
  const members = coordination.members('a')
  const seen = await record(members)
  const client = freshClient()
  const calls: (() => Promise<unknown>)[] = [
    () => members.join(client, 1),
    () => members.update(client.connectionId, 2),
    () => members.leave(client.connectionId),
  ]
  for (const call of calls) {
    proxy.drop('down')
    const outcome = call().then(
      () => 'applied',
      (error: unknown) => error,
    )
    proxy.cut()
    proxy.flow()
    expect(await outcome).toMatchObject({ code: expect.stringMatching(/OUTCOME_UNKNOWN|UNAVAILABLE/), retryable: true })
    await eventually(call)
  }
  expect(new Set(seen.changes.flatMap(({ joined }) => joined.map(({ id }) => id))).size).toBe(1)
  await seen.until(() => seen.view.count === 0)
})
