import { spawnInstance, startRedis, eventually, monitorRedis, type Instance, type MonitoredCommand, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { connectPlain, type PlainClient } from './serve.ts'

let redis: TestRedis
let admin: Redis
let instances: Instance[]
const clients: PlainClient[] = []

beforeAll(async () => {
  redis = await startRedis()
  admin = new Redis(redis.port, redis.host)
  instances = await Promise.all(
    [1, 2].map(() => spawnInstance(new URL('./instance.ts', import.meta.url), { env: { REDIS_URL: redis.url } })),
  )
})

afterAll(async () => {
  for (const { socket } of clients) socket.disconnect()
  const codes = await Promise.all(instances.map((instance) => instance.stop()))
  expect(codes).toEqual([0, 0])
  admin.disconnect()
  await redis.stop()
})

async function connectTo(index: number, auth: Record<string, unknown> = {}): Promise<PlainClient> {
  const client = await connectPlain(String(instances[index]?.ready['url']), { auth })
  clients.push(client)
  return client
}

const versionsOf = (client: PlainClient, key: string): number[] =>
  client
    .of('storage:updated')
    .filter((update) => (update as { key: string }).key === key)
    .map((update) => (update as { version: number }).version)

test('[N1] CLIENT LIST shows two connections per instance', async () => {
  const list = String(await admin.call('CLIENT', 'LIST'))
  for (const instance of instances) {
    const own = list.split('\n').filter((line) => line.includes(String(instance.ready['instanceId'])))
    expect(own).toHaveLength(2)
  }
  expect(list.trim().split('\n')).toHaveLength(2 * instances.length + 1)
})

describe('a plain socket.io-client that knows six messages', () => {
  test('[S4] [S10] set, update and removal reach the other instance once each', async () => {
    const [writer, watcher] = await Promise.all([connectTo(0), connectTo(1)])
    expect(await watcher.send('storage:subscribe', { keys: [{ key: 'plain' }] })).toEqual({
      ok: true,
      entries: [{ key: 'plain', version: 0, removed: true }],
    })
    const first = await writer.request('storage:set', { key: 'plain', value: { a: 1 } })
    const second = await writer.request('storage:set', { key: 'plain', value: null })
    const third = await writer.request('storage:remove', { key: 'plain' })
    await eventually(() => expect(watcher.of('storage:updated')).toHaveLength(3))
    expect(watcher.of('storage:updated')).toEqual([
      { key: 'plain', version: first.version, value: { a: 1 } },
      { key: 'plain', version: second.version, value: null },
      { key: 'plain', version: third.version, removed: true },
    ])
  })

  test('[E1] [E2] [E3] events reach both instances once, by name and by pattern', async () => {
    const [publisher, near, far] = await Promise.all([connectTo(0), connectTo(0), connectTo(1)])
    for (const client of [publisher, near, far]) {
      await client.request('event:subscribe', { channel: 'room:1' })
      await client.request('event:subscribe', { channel: 'room:*' })
    }
    await publisher.request('event:publish', { channel: 'room:1', data: 'to others' })
    await publisher.request('event:publish', { channel: 'room:2', data: 'to all', includeSelf: true })
    const all = [
      { channel: 'room:1', data: 'to others' },
      { channel: 'room:2', data: 'to all' },
    ]
    await eventually(() => expect(far.of('event:received')).toEqual(all))
    await eventually(() => expect(near.of('event:received')).toEqual(all))
    expect(publisher.of('event:received')).toEqual(all.slice(1))
  })
})

test('[S4] 200 rounds of two writers on two instances at once: none ends apart', async () => {
  const [first, second, near, far] = await Promise.all([connectTo(0), connectTo(1), connectTo(0), connectTo(1)])
  let apart = 0
  let together = 0
  for (let round = 0; round < 200; round += 1) {
    const key = `race:${round}`
    for (const client of [first, second, near, far]) await client.request('storage:subscribe', { keys: [{ key }] })
    let answered = 0
    const count = <T>(result: T): T => {
      answered += 1
      return result
    }
    const writes = [
      first.request('storage:set', { key, value: 'first' }).then(count),
      second.request('storage:set', { key, value: 'second' }).then(count),
    ]
    if (answered === 0) together += 1
    const versions = await Promise.all(writes.map(async (write) => (await write).version))
    const newest = Math.max(...versions)
    const stored = await far.request('storage:get', { key })
    const shown = async (client: PlainClient, own: number): Promise<number> =>
      eventually(() => {
        const latest = Math.max(own, ...versionsOf(client, key))
        expect(latest).toBe(newest)
        return latest
      }).catch(() => -1)
    const ends = await Promise.all([shown(first, versions[0] ?? 0), shown(second, versions[1] ?? 0), shown(near, 0), shown(far, 0)])
    if (stored.version !== newest || ends.some((version) => version !== newest)) apart += 1
    for (const observer of [near, far]) expect(versionsOf(observer, key)).toEqual(versions.toSorted((a, b) => a - b))
  }
  console.log(`200 rounds, both writes under way at once in ${together}: ${apart} ended apart`)
  expect({ apart, together }).toEqual({ apart: 0, together: 200 })
})

test('[S7] 2 × 100 concurrent increments make 200, 20 times of 20', async () => {
  const [first, second] = await Promise.all([connectTo(0), connectTo(1)])
  const sums: unknown[] = []
  for (let time = 0; time < 20; time += 1) {
    const key = `count:${time}`
    await Promise.all(
      Array.from({ length: 100 }, () => [first, second].map((client) => client.request('storage:increment', { key, by: 1 }))).flat(),
    )
    sums.push((await first.request('storage:get', { key })) as unknown)
  }
  expect(sums).toEqual(Array.from({ length: 20 }, () => expect.objectContaining({ value: 200 }) as unknown))
})

test('[S8] concurrent patches from both instances are all kept and delivered', async () => {
  const [first, second, watcher] = await Promise.all([connectTo(0), connectTo(1), connectTo(1)])
  await watcher.request('storage:subscribe', { keys: [{ key: 'form' }] })
  await first.request('storage:set', { key: 'form', value: {} })
  const patches = Array.from({ length: 50 }, (_, index) =>
    [first, second].map((client, side) => client.request('storage:patch', { key: 'form', patch: { [`${side}:${index}`]: index } })),
  ).flat()
  const replies = await Promise.all(patches)
  const stored = await first.request('storage:get', { key: 'form' })
  expect(Object.keys('value' in stored && typeof stored.value === 'object' ? (stored.value ?? {}) : {})).toHaveLength(100)
  const newest = Math.max(...replies.map(({ version }) => version))
  expect(stored.version).toBe(newest)
  await eventually(() => expect(Math.max(...versionsOf(watcher, 'form'))).toBe(newest))
})

/** The commands that Redis receives from outside its scripts during the action, by name. */
async function askedOfRedis(action: () => Promise<void>): Promise<string[]> {
  const monitor = await monitorRedis(redis)
  await action()
  const commands = await monitor.commands()
  monitor.close()
  // What keeps leases and idle connections is not part of the action.
  const isOfAction = ({ name, args, isOfScript }: MonitoredCommand): boolean =>
    !isOfScript && name !== 'ping' && !args.some((part) => part.includes('$instances:'))
  return commands.filter(isOfAction).map(({ name }) => name)
}

describe('what a write costs Redis', () => {
  test('[S5] 50 writes are 50 scripts, and nothing else on either instance', async () => {
    const [writer, watcher] = await Promise.all([connectTo(0), connectTo(1)])
    await watcher.request('storage:subscribe', { keys: [{ key: 'monitored' }] })
    const asked = await askedOfRedis(async () => {
      for (let count = 0; count < 50; count += 1) await writer.request('storage:set', { key: 'monitored', value: count })
      await eventually(() => expect(watcher.of('storage:updated')).toHaveLength(50))
    })
    expect(asked).toHaveLength(50)
    expect(asked.filter((name) => name === 'eval').length).toBeLessThanOrEqual(1)
    expect(new Set(asked.filter((name) => name !== 'eval'))).toEqual(new Set(['evalsha']))
  })

  test('[S5] a large value is read once by an instance with subscribers only', async () => {
    const [writer, watcher] = await Promise.all([connectTo(0), connectTo(1)])
    const value = 'x'.repeat(9_000)
    expect(await askedOfRedis(async () => void (await writer.request('storage:set', { key: 'large', value })))).toEqual(['evalsha'])
    await watcher.request('storage:subscribe', { keys: [{ key: 'large' }] })
    const asked = await askedOfRedis(async () => {
      const { version } = await writer.request('storage:set', { key: 'large', value })
      await eventually(() => expect(watcher.of('storage:updated')).toEqual([{ key: 'large', version, value }]))
    })
    expect(asked).toEqual(['evalsha', 'evalsha'])
  })
})

test('[S8] patches written together report it, and their writers receive the update', async () => {
  const writers = await Promise.all(Array.from({ length: 10 }, (_, index) => connectTo(0, { clientId: `patcher-${index}` })))
  for (const writer of writers) await writer.request('storage:subscribe', { keys: [{ key: 'together' }] })
  const patch = (writer: PlainClient, index: number, numbered: boolean) =>
    writer.request('storage:patch', {
      key: 'together',
      patch: { [`${numbered}${index}`]: index },
      ...(numbered ? { mutation: { number: 1 } } : {}),
    })
  for (const numbered of [true, false]) {
    const replies = await Promise.all(writers.map((writer, index) => patch(writer, index, numbered)))
    const versions = replies.map(({ version }) => version)
    const shared = replies.filter(({ version }) => versions.indexOf(version) !== versions.lastIndexOf(version))
    expect(shared.length).toBeGreaterThan(1)
    for (const { version, base } of shared) expect(base).toBe(version)
    if (numbered) expect(await Promise.all(writers.map((writer, index) => patch(writer, index, numbered)))).toEqual(replies)
    for (const [index, writer] of writers.entries()) {
      const { version } = replies[index] ?? { version: 0 }
      if (versions.filter((other) => other === version).length > 1)
        await eventually(() => expect(versionsOf(writer, 'together')).toContain(version))
    }
  }
})

test('[S12] a repeated write has one effect and the same reply, on any instance', async () => {
  const clientId = 'client-1'
  const [first, again, other] = await Promise.all([connectTo(0, { clientId }), connectTo(1, { clientId }), connectTo(1)])
  const increment = { key: 'once', by: 5, mutation: { number: 1 } }
  const reply = await first.request('storage:increment', increment)
  expect(await again.request('storage:increment', increment)).toEqual(reply)
  const later = await other.request('storage:increment', { key: 'once', by: 1 })
  expect(await again.request('storage:increment', increment)).toEqual(reply)
  expect(await other.request('storage:increment', { ...increment, mutation: { number: 1, clientId } })).toEqual(reply)
  expect(await first.request('storage:get', { key: 'once' })).toMatchObject({ value: 6, version: later.version })
  const refused = { key: 'once', value: 0, ifVersion: 1, mutation: { number: 2 } }
  const refusal = await first.send('storage:set', refused)
  expect(refusal).toMatchObject({ ok: false, error: { code: 'CONFLICT', entry: { key: 'once', value: 6 } } })
  expect(await again.send('storage:set', refused)).toEqual(refusal)
})

test('[S2] a subscriber that joins during writes receives every later version', async () => {
  const [writer, watcher] = await Promise.all([connectTo(0), connectTo(1)])
  const keeper = await connectTo(1)
  await keeper.request('storage:subscribe', { keys: [{ key: 'busy' }] })
  const written: number[] = []
  let going = true
  const writing = (async () => {
    while (going) written.push((await writer.request('storage:set', { key: 'busy', value: written.length })).version)
  })()
  for (let round = 0; round < 30; round += 1) {
    watcher.received.length = 0
    const { entries } = await watcher.request('storage:subscribe', { keys: [{ key: 'busy' }] })
    await eventually(() => expect(watcher.received.length).toBeGreaterThan(5))
    await watcher.request('storage:unsubscribe', { keys: [{ key: 'busy' }] })
    const from = entries[0]?.version ?? -1
    const shown = versionsOf(watcher, 'busy')
    await eventually(() => expect(written.filter((version) => version > from).length).toBeGreaterThanOrEqual(shown.length))
    expect(shown).toEqual(written.filter((version) => version > from).slice(0, shown.length))
  }
  going = false
  await writing
})

interface Told extends Record<string, unknown> {
  key: string
  version: number
}

/** What a connection shows of a prefix, from its first page and all updates. */
function shownBelow({ of }: PlainClient, page: readonly unknown[]): Map<string, number> {
  const shown = new Map<string, number>()
  for (const entry of [...page, ...of('storage:updated')] as Told[]) {
    if ('removed' in entry) shown.delete(entry.key)
    else shown.set(entry.key, entry.version)
  }
  return shown
}

test('[S17] a prefix subscriber ends on the stored entries during concurrent changes', async () => {
  const [first, second] = await Promise.all([connectTo(0), connectTo(1)])
  const watchers = await Promise.all([connectTo(0), connectTo(1)])
  const write = async (client: PlainClient, own: string): Promise<void> => {
    for (let round = 0; round < 100; round += 1) {
      const key = `below:${round % 3 === 0 ? 'both' : own}:${round % 10}`
      if (round % 7 === 6) await client.request('storage:remove', { key })
      else await client.request('storage:set', { key, value: round % 5 === 0 ? 'x'.repeat(10_000) : round })
    }
  }
  const writing = [write(first, 'first'), write(second, 'second')]
  const pages = await Promise.all(watchers.map((watcher) => watcher.request('storage:subscribe', { prefix: 'below:' })))
  await Promise.all(writing)
  const { entries } = await (await connectTo(0)).request('storage:subscribe', { prefix: 'below:' })
  const stored = new Map(entries.map(({ key, version }) => [key, version]))
  expect(stored.size).toBeGreaterThan(10)
  for (const [index, watcher] of watchers.entries()) {
    await eventually(() => expect(shownBelow(watcher, pages[index]?.entries ?? [])).toEqual(stored))
    for (const key of stored.keys()) {
      const versions = versionsOf(watcher, key)
      expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b))
    }
  }
})

test('[F3] changes below a prefix during a gap are delivered after it', async () => {
  const [writer, watcher] = await Promise.all([connectTo(1), connectTo(0)])
  for (const key of ['missed:changed', 'missed:removed']) await writer.request('storage:set', { key, value: 'before' })
  const page = await watcher.request('storage:subscribe', { prefix: 'missed:' })
  const instance = String(instances[0]?.ready['instanceId'])
  const list = String(await admin.call('CLIENT', 'LIST', 'TYPE', 'PUBSUB'))
  const id = /id=(\d+)/.exec(list.split('\n').find((line) => line.includes(instance)) ?? '')?.[1]
  await admin.multi().call('CLIENT', 'KILL', 'ID', String(id)).exec()
  await writer.request('storage:set', { key: 'missed:created', value: 1 })
  await writer.request('storage:set', { key: 'missed:changed', value: 2 })
  await writer.request('storage:remove', { key: 'missed:removed' })
  await eventually(() => expect([...shownBelow(watcher, page.entries).keys()].toSorted()).toEqual(['missed:changed', 'missed:created']))
})

test('[S11] writes through unstorage reach subscribers of every instance once', async () => {
  const watchers = await Promise.all([connectTo(0), connectTo(1)])
  for (const watcher of watchers) await watcher.request('storage:subscribe', { keys: [{ key: 'stored' }] })
  await instances[0]?.call('setItem', 'stored', '{"by":"the application"}')
  for (const watcher of watchers) {
    await eventually(() =>
      expect(watcher.of('storage:updated')).toEqual([{ key: 'stored', version: expect.any(Number), value: { by: 'the application' } }]),
    )
  }
})

test('[S2] [E3] server code watches keys and receives events of the other instance', async () => {
  const [here] = instances
  const client = await connectTo(1)
  await here?.call('watch', 'watched')
  await here?.call('listen', 'news:*')
  await client.request('storage:set', { key: 'watched', value: { a: 1 } })
  await client.request('storage:patch', { key: 'watched', patch: { b: 2 } })
  await client.request('event:publish', { channel: 'news:1', data: 'hello' })
  await eventually(async () => {
    expect(await here?.call('watched')).toEqual([
      expect.objectContaining({ value: { a: 1 } }),
      expect.objectContaining({ value: { a: 1, b: 2 } }),
      { channel: 'news:1', data: 'hello' },
    ])
  })
  await instances[1]?.call('set', 'watched', 'by server code')
  await eventually(async () => expect(await here?.call('watched')).toHaveLength(4))
})

test('[E9] a process without Socket.IO publishes events that reach the clients', async () => {
  const client = await connectTo(0)
  await client.request('event:subscribe', { channel: 'outside:*' })
  const { RealtimePubSub } = await import('@tutti/pubsub')
  const worker = new RealtimePubSub({ url: redis.url })
  await worker.link.ready
  await worker.publish('events', { channel: 'outside:job', data: { done: true } })
  await eventually(() => expect(client.of('event:received')).toEqual([{ channel: 'outside:job', data: { done: true } }]))
  await admin.publish('tutti:events', 'rubbish')
  await admin.publish('tutti:events', '{"channel":"outside:*","data":1}')
  await admin.publish('tutti:watch', '{"key":7}')
  await worker.publish('events', { channel: 'outside:job', data: 'after rubbish' })
  await eventually(() => expect(client.of('event:received')).toHaveLength(2))
  await worker.dispose()
})
