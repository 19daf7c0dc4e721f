import { expect, onTestFinished, test } from 'vitest'
import { sendToRedis, eventually, startRedisCluster, startSentinel } from '../src/index.ts'

test('a Cluster serves all slots, and a replica replaces a dead master', async () => {
  const cluster = await startRedisCluster({ replicas: 1 })
  onTestFinished(() => cluster.stop())
  const [first, , , replica] = cluster.nodes
  if (first === undefined || replica === undefined) throw new Error('There are six.')
  const slots = await sendToRedis(first, 'CLUSTER', 'SLOTS')
  expect(Array.isArray(slots) && slots.map((range) => (Array.isArray(range) ? range.slice(0, 2) : range))).toEqual(
    expect.arrayContaining([
      [0, 5460],
      [5461, 10921],
      [10922, 16383],
    ]),
  )
  await first.kill()
  await eventually(async () => expect(String(await sendToRedis(replica, 'INFO', 'replication'))).toContain('role:master'), {
    timeoutMs: 20_000,
  })
  await cluster.serving()
})

test('a slot of a Cluster moves to another node with its keys', async () => {
  const cluster = await startRedisCluster()
  onTestFinished(() => cluster.stop())
  const [first, second] = cluster.nodes
  if (first === undefined || second === undefined) throw new Error('There are three.')
  const slot = Number(await sendToRedis(first, 'CLUSTER', 'KEYSLOT', 'b'))
  expect(await sendToRedis(first, 'SET', 'b', 'kept')).toBe('OK')
  await cluster.moveSlot(slot, second)
  expect(await sendToRedis(second, 'GET', 'b')).toBe('kept')
  await expect(sendToRedis(first, 'GET', 'b')).rejects.toThrow(`MOVED ${slot} ${second.host}:${second.port}`)
})

test('Sentinels promote the replica on command, and the old master follows it', async () => {
  const sentinel = await startSentinel()
  onTestFinished(() => sentinel.stop())
  const [first, second] = sentinel.nodes
  expect(await sentinel.master()).toBe(first)
  expect(await sentinel.failOver('order')).toBe(second)
  expect(await sendToRedis(second, 'SET', 'a', '1')).toBe('OK')
  await eventually(async () => expect(await sendToRedis(first, 'GET', 'a')).toBe('1'))
})
