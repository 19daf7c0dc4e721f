import { RealtimeError, type Entry } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveDriver, reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, seededRandom, startRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import memoryDriver from 'unstorage/drivers/memory'
import type { AuditRecord } from '../src/index.ts'
import { createSharedReads } from '../src/state/shared-reads.ts'
import { ModelStore, type ModelConnection } from './model-cluster.ts'
import { serve } from './serve.ts'
import { createModel, settled, versionsShown } from './state-model.ts'

const entry = (key: string, version: number): Entry => (version === 0 ? { key, version, removed: true } : { key, version, value: version })

describe('reads of one key', () => {
  test('[S5] are one for all requests of one turn, and one more for all made meanwhile', async () => {
    const store = new ModelStore()
    const reads = createSharedReads(store)
    const first = [reads.read(['a', 'b']), reads.read(['b', 'c']), reads.read(['b', 'b'])]
    await settled()
    const second = Array.from({ length: 3 }, () => reads.read(['b']))
    await settled()
    const third = reads.read(['b', 'd'])
    await settled()
    expect(store.asked).toEqual([['a', 'b', 'c'], ['d']])
    store.commit('b', { value: 1 })
    while (store.answerNext()) await settled()
    expect(store.asked).toEqual([['a', 'b', 'c'], ['d'], ['b']])
    expect(await Promise.all(first)).toEqual([
      [entry('a', 0), entry('b', 0)],
      [entry('b', 0), entry('c', 0)],
      [entry('b', 0), entry('b', 0)],
    ])
    expect(await Promise.all(second)).toEqual(second.map(() => [entry('b', 1)]))
    expect(await third).toEqual([entry('b', 1), entry('d', 0)])
  })

  test('[S5] are sent 500 keys at a time, and not at all without keys', async () => {
    const store = new ModelStore()
    const reads = createSharedReads(store)
    const keys = Array.from({ length: 1_000 }, (_, index) => `k${index}`)
    const read = [reads.read(keys), reads.read([])]
    await settled()
    expect(store.asked).toEqual([keys.slice(0, 500), keys.slice(500)])
    while (store.answerNext());
    expect(await Promise.all(read)).toEqual([keys.map((key) => entry(key, 0)), []])
  })

  test('[S2] are not shared with a subscription that began after they were sent', async () => {
    const model = createModel()
    const [early, late] = [model.connect('early'), model.connect('late')]
    model.subscribe(early)
    await settled()
    model.store.commit('k', { value: 'announced before the second subscription' })
    model.store.announceNext()
    model.subscribe(late)
    await settled()
    model.store.answerNext()
    await settled()
    expect([early, late].map(versionsShown)).toEqual([[0, 1], []])
    await model.flush()
    expect([early, late].map(versionsShown)).toEqual([[0, 1], [1]])
    expect(model.store.asked).toEqual([['k'], ['k']])
  })

  test('[S5] are one list for requests of the same keys, and another for other keys', async () => {
    const store = new ModelStore()
    const reads = createSharedReads(store)
    const lists = [['a', 'b'], ['a', 'b'], ['b', 'a'], ['a'], ['a', 'b', 'c']].map((keys) => reads.readList(keys))
    await settled()
    while (store.answerNext());
    const [first, same, ...others] = await Promise.all(lists)
    expect(same).toBe(first)
    expect(new Set([first, ...others]).size).toBe(4)
    expect(others.map(({ entries }) => entries.map(({ key }) => key))).toEqual([['b', 'a'], ['a'], ['a', 'b', 'c']])
    store.commit('a', { value: 1 })
    const later = reads.readList(['a', 'b'])
    await settled()
    while (store.answerNext());
    expect((await later).entries).toEqual([entry('a', 1), entry('b', 0)])
  })

  test('[S5] that fail are reported to all that share them; the next one tries again', async () => {
    const model = createModel()
    const connections = Array.from({ length: 5 }, (_, index) => model.connect(`c${index}`))
    model.store.away = 'UNAVAILABLE'
    for (const connection of connections) model.subscribe(connection)
    await settled()
    expect(model.store.asked).toEqual([['k']])
    model.store.away = false
    const late = model.connect('late')
    model.subscribe(late)
    await settled()
    model.store.answerNext()
    await settled()
    const failed = { name: 'reply', payload: { ok: false, error: expect.objectContaining({ code: 'UNAVAILABLE' }) } }
    expect(connections.map(({ received }) => received)).toEqual(connections.map(() => [failed]))
    await model.flush()
    expect(versionsShown(late)).toEqual([0])
    for (const connection of connections) model.subscribe(connection)
    await model.flush()
    expect(connections.map(versionsShown)).toEqual(connections.map(() => [0]))
    expect(model.store.asked).toEqual([['k'], ['k'], ['k']])
  })

  test('[S5] that the store refuses fail only the requests for that key', async () => {
    const store = new ModelStore()
    const reads = createSharedReads(store)
    store.refused.add('refused')
    const outcomes = Promise.allSettled([reads.read(['a', 'refused']), reads.read(['a', 'b']), reads.read(['refused'])])
    do await settled()
    while (store.answerNext())
    const refusal = { status: 'rejected', reason: new RealtimeError('WRONG_TYPE') }
    expect(await outcomes).toEqual([refusal, { status: 'fulfilled', value: [entry('a', 0), entry('b', 0)] }, refusal])
    expect(store.asked).toEqual([['a', 'refused', 'b'], ['a'], ['refused'], ['b']])
    store.refused.clear()
    store.asked.length = 0
    const again = reads.read(['refused'])
    await settled()
    store.answerNext()
    expect(await again).toEqual([entry('refused', 0)])
    // What fails for all keys alike is not tried key by key.
    store.away = 'UNAVAILABLE'
    const failing = reads.read(['a', 'b'])
    await settled()
    store.answerNext()
    await expect(failing).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(store.asked).toEqual([['refused'], ['a', 'b']])
  })

  test('[S5] that throw, or return no entry, are refused', async () => {
    const broken = new RangeError('on purpose')
    const throwing = createSharedReads({
      read: () => {
        throw broken
      },
    })
    await expect(throwing.read(['a'])).rejects.toBe(broken)
    await expect(throwing.read(['a'])).rejects.toBe(broken)
    const lacking = createSharedReads({ read: async (keys) => keys.filter((key) => key !== 'b').map((key) => entry(key, 1)) })
    await expect(lacking.read(['a'])).resolves.toEqual([entry('a', 1)])
    await expect(lacking.read(['b'])).rejects.toMatchObject({ code: 'INTERNAL' })
  })
})

const KEYS = ['a', 'b', 'c']

describe('any order of slow reads, changes and subscriptions', () => {
  test('[S2] no subscriber misses a change, and no entry is older than its request', async () => {
    let shared = 0
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = seededRandom(seed)
      const model = createModel()
      const connections = Array.from({ length: 6 }, (_, index) => model.connect(`c${index}`))
      const before = new Map<ModelConnection, Map<string, number>>(connections.map((connection) => [connection, new Map()]))
      const newest = (key: string): number => model.store.entries.get(key)?.version ?? 0
      for (let step = 0; step < 60; step += 1) {
        const key = random.pick(KEYS)
        switch (random.below(6)) {
          case 0:
          case 1: {
            const connection = random.pick(connections)
            const requested = before.get(connection)
            if (requested?.has(key) !== false) break
            requested.set(key, newest(key))
            model.subscribe(connection, key)
            break
          }
          case 2:
            model.store.commit(key, { value: step })
            break
          case 3:
            model.store.announceNext()
            break
          case 4:
            model.store.answerNext((count) => random.below(count))
            break
          default:
            // A turn of the event loop, or a few of its jobs.
            if (random.below(2) === 0) await settled()
            else for (let jobs = random.below(12); jobs > 0; jobs -= 1) await Promise.resolve()
        }
      }
      await model.flush()
      let requests = 0
      for (const [connection, requested] of before) {
        requests += requested.size
        for (const [key, atRequest] of requested) {
          const [first = -1, ...updates] = shownOf(connection, key)
          const context = `seed ${seed}, ${connection.id}, ${key}: ${JSON.stringify(connection.received)}`
          const committed = model.store.committed.filter((change) => change.key === key).map(({ version }) => version)
          expect(first, context).toBeGreaterThanOrEqual(atRequest)
          expect(updates, context).toEqual(committed.filter((version) => version > first))
        }
      }
      shared += requests - model.store.asked.flat().length
    }
    expect(shared).toBeGreaterThan(400)
  })
})

/** The versions of one key that the connection was shown, in order. */
function shownOf({ received }: ModelConnection, key: string): number[] {
  const entries = received.flatMap(({ payload }) => (payload as { entries?: Entry[] }).entries ?? [payload as Entry])
  return entries.filter((shown) => shown.key === key).map(({ version }) => version)
}

test('[X11] a watch that changes its entry changes it for no other subscriber', async () => {
  const served = await serve()
  onTestFinished(() => served.close())
  const { realtime } = served
  await realtime.state.set('list', ['stored'])
  const shown: unknown[] = []
  const watch = (): (() => void) =>
    realtime.as(null).state.watch('list', (current) => {
      if (!('value' in current) || !Array.isArray(current.value)) return
      current.value.push('changed')
      shown.push(current.value)
    })
  const stops = [watch(), watch(), watch()]
  await eventually(() => expect(shown).toEqual(stops.map(() => ['stored', 'changed'])))
  for (const stop of stops) stop()
})

test('[S5] [C2] 20 connections that subscribe to 500 keys read each at most twice', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const pubsub = new RealtimePubSub({ url: redis.url })
  const driver = reactiveRedisDriver({ pubsub })
  const [connections, pages] = [20, 5]
  let [reads, requests] = [0, 0]
  const state = {
    ...driver,
    read: async (keys: readonly string[]) => {
      reads += keys.length
      // At once: no read is answered before all requests have arrived.
      await eventually(() => expect(requests).toBe(connections * pages))
      return driver.read(keys)
    },
  }
  const served = await serve({ pubsub, state, limits: { requestsPerSecond: 1_000_000 }, reconcileIntervalMs: 0 })
  onTestFinished(() => served.close())
  const clients = await Promise.all(Array.from({ length: connections }, () => served.connect()))
  for (const socket of served.realtime.io.of('/').sockets.values()) socket.onAny(() => (requests += 1))
  const keys = Array.from({ length: 500 }, (_, index) => ({ key: `shared:${index}` }))
  for (const { key } of keys.slice(0, 20)) await served.realtime.state.set(key, 'before')
  const admin = new Redis(redis.port, redis.host)
  onTestFinished(() => admin.disconnect())
  await admin.config('RESETSTAT')

  const replies = await Promise.all(
    clients.map(async (client) => {
      const parts = Array.from({ length: pages }, (_, page) => keys.filter((_key, index) => index % pages === page))
      const read = await Promise.all(parts.map((part) => client.request('storage:subscribe', { keys: part })))
      return read.flatMap(({ entries }) => entries)
    }),
  )
  const stats = await admin.info('commandstats')
  const scripts = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)

  for (const entries of replies) expect(entries).toEqual(replies[0])
  expect(new Set(replies[0]?.map(({ key }) => key))).toEqual(new Set(keys.map(({ key }) => key)))
  expect(reads).toBeLessThanOrEqual(2 * keys.length)
  expect(scripts).toBeGreaterThan(0)
  expect(scripts).toBeLessThanOrEqual(2 * keys.length)

  const { version } = await served.realtime.state.set('shared:499', 'after')
  for (const client of clients) {
    await eventually(() => expect(client.of('storage:updated')).toEqual([{ key: 'shared:499', version, value: 'after' }]))
  }
})

test('[S5] [C2] concurrent requests of the same keys receive one encoded reply', async () => {
  const driver = reactiveDriver(memoryDriver())
  let requests = 0
  const read = async (keys: readonly string[]) => {
    await eventually(() => expect(requests).toBe(6))
    return driver.read(keys)
  }
  // An audit, and not a listener of the sockets, for which replies would go through Socket.IO.
  const onAudit = ({ action, target }: AuditRecord): void => {
    if (action === 'state:read' && target !== undefined && 'key' in target && target.key === 'a') requests += 1
  }
  const served = await serve({ state: { ...driver, read }, onAudit, auditAllowed: true })
  onTestFinished(() => served.close())
  const clients = await Promise.all(Array.from({ length: 6 }, () => served.connect()))
  const { version } = await served.realtime.state.set('a', 'ä')
  // So that the ids of their requests differ.
  for (const client of clients.slice(0, 3)) await client.request('event:subscribe', { channel: 'c' })
  const stringify = vi.spyOn(JSON, 'stringify')
  onTestFinished(() => stringify.mockRestore())
  const replies = await Promise.all(
    clients.map((client, index) =>
      client.request('storage:subscribe', { keys: [{ key: 'a', ...(index === 5 && { version }) }, { key: 'b' }] }),
    ),
  )
  const encoded = stringify.mock.calls.filter(([value]) => typeof value === 'object' && value !== null && 'ok' in value)
  const all = [
    { key: 'a', version, value: 'ä' },
    { key: 'b', version: 0, removed: true },
  ]
  expect(replies).toEqual(clients.map((_, index) => ({ ok: true, entries: index === 5 ? all.slice(1) : all })))
  // Of the first request, which is read alone, of the other ones, and of the one that has an entry.
  expect(encoded).toHaveLength(3)
})
