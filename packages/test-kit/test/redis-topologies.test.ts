import { expect, onTestFinished, test } from 'vitest'
import { askRedis, eventually, startRedisCluster, startSentinel } from '../src/index.ts'

test('a Cluster serves all slots on three masters, and a replica takes over from a master that died', async () => {
  const cluster = await startRedisCluster({ replicas: 1 })
  onTestFinished(() => cluster.stop())
  const [first, , , replica] = cluster.nodes
  if (first === undefined || replica === undefined) throw new Error('There are six.')
  const slots = await askRedis(first, 'CLUSTER', 'SLOTS')
  expect(Array.isArray(slots) && slots.map((range) => (Array.isArray(range) ? range.slice(0, 2) : range))).toEqual(
    expect.arrayContaining([
      [0, 5460],
      [5461, 10921],
      [10922, 16383],
    ]),
  )
  await first.kill()
  await eventually(async () => expect(String(await askRedis(replica, 'INFO', 'replication'))).toContain('role:master'), {
    timeoutMs: 20_000,
  })
  await cluster.serving()
})

test('a slot of a Cluster moves to another node with its keys', async () => {
  const cluster = await startRedisCluster()
  onTestFinished(() => cluster.stop())
  const [first, second] = cluster.nodes
  if (first === undefined || second === undefined) throw new Error('There are three.')
  const slot = Number(await askRedis(first, 'CLUSTER', 'KEYSLOT', 'b'))
  expect(await askRedis(first, 'SET', 'b', 'kept')).toBe('OK')
  await cluster.moveSlot(slot, second)
  expect(await askRedis(second, 'GET', 'b')).toBe('kept')
  await expect(askRedis(first, 'GET', 'b')).rejects.toThrow(`MOVED ${slot} ${second.host}:${second.port}`)
})

test('Sentinels make the replica the master by order, and the old one follows it', async () => {
  const sentinel = await startSentinel()
  onTestFinished(() => sentinel.stop())
  const [first, second] = sentinel.nodes
  expect(await sentinel.master()).toBe(first)
  expect(await sentinel.failOver('order')).toBe(second)
  expect(await askRedis(second, 'SET', 'a', '1')).toBe('OK')
  await eventually(async () => expect(await askRedis(first, 'GET', 'a')).toBe('1'))
})
