import { isAbsent } from '@tutti/protocol/internal'
import { sendToRedis, eventually, startRedisCluster, startSentinel, type TestRedis } from '@tutti/test-kit'
import type { RealtimePubSubOptions } from '@tutti/pubsub'
import { expect, onTestFinished, test } from 'vitest'
import { freshAuthor } from '../src/testing/store-under-test.ts'
import { storesAt } from './stores.ts'

/** Redis with a replica for each master, and a function that kills one of the masters. */
interface Failing {
  place: RealtimePubSubOptions
  /** The master that will be killed, and its replica. */
  dying: readonly [TestRedis | undefined, TestRedis | undefined]
  crash: () => Promise<TestRedis | void>
  stop: () => Promise<void>
}

const topologies: Record<string, () => Promise<Failing>> = {
  'behind Sentinel': async () => {
    const sentinel = await startSentinel()
    return {
      place: { sentinels: sentinel.sentinels, name: sentinel.name },
      dying: sentinel.nodes,
      crash: () => sentinel.failOver(),
      stop: () => sentinel.stop(),
    }
  },
  'on a Cluster': async () => {
    const cluster = await startRedisCluster({ replicas: 1 })
    return {
      place: { cluster: cluster.addresses },
      dying: [cluster.nodes[0], cluster.nodes[3]],
      crash: async () => {
        await cluster.nodes[0]?.kill()
        await cluster.serving()
      },
      stop: () => cluster.stop(),
    }
  },
}

/** The replication offset of a server, bytes. */
async function offsetOf(server: TestRedis | undefined): Promise<number> {
  if (server === undefined) throw new Error('There is such a server.')
  const info = String(await sendToRedis(server, 'INFO', 'replication'))
  return Number(/\r\n(?:slave|master)_repl_offset:(\d+)/.exec(info)?.[1])
}

for (const [name, start] of Object.entries(topologies)) {
  test(`[F1] ${name}, a failover loses at most unreplicated writes, for all alike`, async () => {
    const redis = await start()
    const made = await storesAt(redis.place, redis.stop)
    onTestFinished(() => made.dispose())
    const { store, other, pubsubs } = made
    const stores = [store, other]
    const gaps = [0, 0]
    for (const [place, one] of stores.entries()) one.onGap(() => (gaps[place] = (gaps[place] ?? 0) + 1))

    const acknowledged = new Map<string, { version: number; mayBeLost: boolean }>()
    let isCrashing = false
    const codes = new Set<unknown>()
    let isOver = false
    let number = 0
    /** Writes its own keys one after the other. A write that is refused for now is repeated with the same number. */
    const write = async (place: number): Promise<void> => {
      while (!isOver) {
        const key = `k:${place}:${(number += 1)}`
        const author = freshAuthor()
        let mayBeLost = false
        for (let isDone = false; !isDone && !isOver;) {
          try {
            mayBeLost ||= isCrashing
            const { version } = await (stores[place % 2] ?? store).write({ op: 'set', key, value: key, author })
            acknowledged.set(key, { version, mayBeLost: mayBeLost || isCrashing })
            isDone = true
          } catch (error) {
            codes.add(error instanceof Error && 'code' in error ? error.code : error)
          }
          await new Promise((resolve) => setTimeout(resolve, 10))
        }
      }
    }
    const writers = [0, 1, 2, 3].map(write)
    await eventually(() => expect(acknowledged.size).toBeGreaterThan(200), { timeoutMs: 60_000 })
    // The replica has all writes acknowledged before.
    isCrashing = true
    const [dying, replica] = redis.dying
    const offset = await offsetOf(dying)
    await eventually(async () => expect(await offsetOf(replica)).toBeGreaterThanOrEqual(offset))
    await redis.crash()
    isCrashing = false
    await eventually(
      () => expect([...gaps.map((count) => count > 0), ...pubsubs.map(({ status }) => status)]).toEqual([true, true, 'ready', 'ready']),
      { timeoutMs: 60_000 },
    )
    const size = acknowledged.size
    await eventually(() => expect(acknowledged.size).toBeGreaterThan(size + 50), { timeoutMs: 60_000 })
    isOver = true
    await Promise.all(writers)

    for (const code of codes) expect(['UNAVAILABLE', 'OUTCOME_UNKNOWN']).toContain(code)
    const keys = [...acknowledged.keys()]
    // An instance may still be searching for the new master of a slot.
    const read = (one: typeof store) => eventually(() => one.read(keys), { timeoutMs: 60_000 })
    const [here, there] = await Promise.all([read(store), read(other)])
    expect(here).toEqual(there)
    for (const { key } of here.filter(isAbsent)) expect(acknowledged.get(key)?.mayBeLost).toBe(true)
    // [S1] Versions increase regardless of the data of the new master.
    for (const { key } of here.slice(0, 20)) {
      const { version } = await other.write({ op: 'set', key, value: 'again' })
      expect(version).toBeGreaterThan(acknowledged.get(key)?.version ?? Infinity)
    }
  })
}
