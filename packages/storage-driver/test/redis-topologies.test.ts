import { isAbsent } from '@tutti/protocol/internal'
import { sendToRedis, documentedAcl, eventually, startRedisCluster, startSentinel } from '@tutti/test-kit'
import { readFileSync } from 'node:fs'
import { RealtimePubSub } from '@tutti/pubsub'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reactiveRedisDriver } from '../src/index.ts'
import { freshAuthor, record } from '../src/testing/store-under-test.ts'
import { stateStoreContract } from '../src/testing/index.ts'
import { storesAt, type StoresAt } from './stores.ts'

stateStoreContract('two instances behind Sentinel', async () => {
  const sentinel = await startSentinel()
  return storesAt({ sentinels: sentinel.sentinels, name: sentinel.name }, () => sentinel.stop())
})

stateStoreContract('two instances on a Cluster', async () => {
  const cluster = await startRedisCluster()
  return storesAt({ cluster: cluster.addresses }, () => cluster.stop())
})

describe('a Cluster', () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>
  let made: StoresAt
  beforeAll(async () => {
    cluster = await startRedisCluster()
    made = await storesAt({ cluster: cluster.addresses }, () => cluster.stop())
  })
  afterAll(() => made.dispose())

  /** The number of executions of each command, on all nodes together. */
  const calls = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {}
    for (const node of cluster.nodes) {
      const stats = String(await sendToRedis(node, 'INFO', 'commandstats'))
      for (const [, name = '', count] of stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)) counts[name] = (counts[name] ?? 0) + Number(count)
    }
    return counts
  }
  const during = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
    const before = await calls()
    await work()
    const after = await calls()
    return Object.fromEntries(['evalsha', 'eval', 'get', 'zadd'].map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)]))
  }
  const named = async (): Promise<unknown> => made.pubsubs[0].link.command('ZRANGE', `${made.base}$index`, 0, -1)

  test('[S5] a write is one script; creating the entry also contacts the index’s node', async () => {
    const { store } = made
    expect(await during(() => store.write({ op: 'set', key: 'once', value: 1 }))).toMatchObject({ evalsha: 3, eval: 0, zadd: 1 })
    expect(await during(() => store.write({ op: 'set', key: 'once', value: 2 }))).toMatchObject({ evalsha: 1, eval: 0, zadd: 0 })
    expect(await during(() => store.write({ op: 'increment', key: 'once', by: 1 }))).toMatchObject({ evalsha: 1, zadd: 0 })
    // A refused write creates nothing.
    const refused = store.write({ op: 'set', key: 'other', value: 1, ifVersion: 5 })
    await expect(refused).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await named()).not.toContain('other')
  })

  test('[S17] an entry is indexed before it exists, even right after its removal', async () => {
    const { store, other } = made
    const keys = Array.from({ length: 20 }, (_, n) => `todos:${n}`)
    for (let round = 0; round < 5; round += 1) {
      await Promise.all([
        ...keys.map((key) => store.write({ op: 'set', key, value: round })),
        ...keys.map((key) => other.write({ op: 'remove', key })),
        store.list('todos:'),
        other.list('todos:'),
      ])
      const there = (await store.read(keys)).filter((entry) => !isAbsent(entry)).map(({ key }) => key)
      expect((await other.list('todos:')).entries.map(({ key }) => key).sort()).toEqual(there.sort())
    }
  })

  test('[S17] a listing removes a name without an entry once no writer can create it', async () => {
    const { store, pubsubs, base } = made
    const [{ link }] = pubsubs
    await store.write({ op: 'set', key: 'gone:a', value: 1 })
    await store.write({ op: 'remove', key: 'gone:a' })
    expect((await store.list('gone:')).entries).toEqual([])
    expect(await named()).toContain('gone:a')
    await link.command('HSET', `{${base}$index}$claims`, 'gone:a', link.now() - 20_000)
    await store.list('gone:')
    expect(await named()).not.toContain('gone:a')
    // The name returns with its entry.
    await store.write({ op: 'set', key: 'gone:a', value: 2 })
    expect((await store.list('gone:')).entries).toMatchObject([{ key: 'gone:a', value: 2 }])
  })

  test('[S20] a foreign entry is indexed when it receives its version', async () => {
    const { store, put } = made
    await put('foreign:a', '1')
    await store.read(['foreign:a'])
    expect((await store.list('foreign:')).entries).toMatchObject([{ key: 'foreign:a', value: 1 }])
    await put('foreign:b', '1')
    await expect(store.write({ op: 'set', key: 'foreign:b', value: 2, ifVersion: 7 })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect((await store.list('foreign:')).entries).toHaveLength(2)
  })

  test('[S5] a base with a hash tag keeps all of it on one node, including its index', async () => {
    const store = reactiveRedisDriver({ pubsub: made.pubsubs[0], base: '{tagged}' })
    expect(await during(() => store.write({ op: 'set', key: 'a', value: 1 }))).toMatchObject({ evalsha: 1, zadd: 1 })
    await store.write({ op: 'set', key: 'b', value: 2 })
    expect((await store.list('')).entries.map(({ key }) => key)).toEqual(['a', 'b'])
    await store.reindex()
    await store.dispose()
  })

  test('[S4] changes of each key arrive in version order, from any node', async () => {
    const { store, other } = made
    const keys = ['x', 'y', 'z', 'w'].map((name) => `order:${name}`)
    const recorders = await Promise.all(keys.flatMap((key) => [record(store, key), record(other, key)]))
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? store : other).write({ op: 'set', key: keys[n % 4] ?? '', value: n })),
    )
    for (const recorder of recorders) {
      const versions = (await recorder.count(50)).map(({ version }) => version)
      expect(versions).toEqual(versions.toSorted((a, b) => a - b))
      recorder.stop()
    }
  })

  test('[S4] a slot that moves to another node keeps its entries, without a failure', async () => {
    const { store, other } = made
    const { version } = await store.write({ op: 'set', key: 'moving', value: 1 })
    const [first] = cluster.nodes
    if (first === undefined) throw new Error('There are three.')
    const slot = Number(await sendToRedis(first, 'CLUSTER', 'KEYSLOT', `${made.base}:moving`))
    for (const node of cluster.nodes) {
      await cluster.moveSlot(slot, node)
      expect(await other.read(['moving'])).toEqual([{ key: 'moving', version, value: 1 }])
    }
    await eventually(() => store.write({ op: 'set', key: 'moving', value: 2 }))
    expect(await other.read(['moving'])).toMatchObject([{ value: 2 }])
  })

  test('[docs] the documented ACL, with its part for a Cluster, is sufficient', async () => {
    const { users } = documentedAcl()
    const more = /^```acl-cluster\n(.*)\n```$/m.exec(readFileSync(new URL('../../../docs/security.md', import.meta.url), 'utf8'))?.[1] ?? ''
    const [, user = '', rules = ''] = /^user (tutti) (.*)$/m.exec(users) ?? []
    for (const node of cluster.nodes) await sendToRedis(node, 'ACL', 'SETUSER', user, ...`${rules} ${more}`.split(' '))
    const password = /(?:^| )>(\S+)/.exec(rules)?.[1] ?? ''
    const pubsub = new RealtimePubSub({ cluster: cluster.addresses, username: user, password })
    const store = reactiveRedisDriver({ pubsub })
    await pubsub.link.ready
    const recorder = await record(store, 'list:0')
    await Promise.all(Array.from({ length: 20 }, (_, n) => store.write({ op: 'set', key: `list:${n}`, value: n, author: freshAuthor() })))
    await recorder.count(1)
    await store.write({ op: 'remove', key: 'list:0' })
    await pubsub.link.command('HSET', '{tutti$index}$claims', 'list:0', 1)
    expect((await store.list('list:')).entries).toHaveLength(19)
    expect((await store.list('list:')).entries).toHaveLength(19)
    await store.reindex()
    recorder.stop()
    await store.dispose()
    await pubsub.dispose()
  })
})
