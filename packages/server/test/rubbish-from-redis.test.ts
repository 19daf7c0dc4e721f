import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { startRedis, type TestRedis } from '@tutti/test-kit'
import * as fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { serve, type PlainClient, type Served } from './serve.ts'

// N4: a program with publish rights in Redis sends arbitrary messages to instances.

const FORGED = '00000000-0000-4000-8000-000000000000'
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

let redis: TestRedis
let attacker: Redis
let served: Served
let instanceId: string
let client: PlainClient
let told: string[]

beforeAll(async () => {
  redis = await startRedis()
  attacker = new Redis(redis.url)
})
afterAll(async () => {
  attacker.disconnect()
  await redis.stop()
})

beforeEach(async () => {
  told = []
  const onError = (error: unknown, { stage }: { stage: string }): void => void told.push(`${stage}: ${String(error)}`)
  const pubsub = new RealtimePubSub({ url: redis.url, onError })
  const state = reactiveRedisDriver({ pubsub, onError })
  served = await serve({ pubsub, state, authenticate: () => ({ id: 'ann' }), onError, reconcileIntervalMs: 0 })
  instanceId = served.realtime.instanceId
  await served.realtime.state.set('a', 1)
  client = await served.connect()
  await client.request('storage:subscribe', { keys: [{ key: 'a' }, { key: '__proto__' }] })
  await client.request('storage:subscribe', { prefix: 'todos:' })
  await client.request('event:subscribe', { channel: '*' })
  client.received.length = 0
})
afterEach(() => served.close())

/** The instance has received all earlier messages, and works as usual. */
async function works(): Promise<void> {
  const { realtime } = served
  const before = client.received.length
  const heard = new Promise((resolve) => realtime.events.subscribe('end', resolve))
  await attacker.publish('tutti:events', JSON.stringify({ origin: FORGED, channel: 'end', data: 1 }))
  await heard
  const { version } = await realtime.state.set('a', 'real')
  await expect
    .poll(() => client.received.slice(before))
    .toEqual([
      { name: 'event:received', payload: { channel: 'end', data: 1 } },
      { name: 'storage:updated', payload: { key: 'a', version, value: 'real' } },
    ])
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
}

const change = (fields: object): string =>
  JSON.stringify({ origin: FORGED, event: 'update', key: 'a', version: 9, value: 'forged', ...fields })
const NOT_JSON = ['', '{', 'null', '[]', '7', '"text"', 'undefined', '\u0000', '{"origin":', deep(200_000), 'x'.repeat(5_000_000)]
const NAMES = ['', 'a/b', 'a$', '{a}', '*', 'a:*', ' :', '..', 'a::b', 'x'.repeat(257), '\u0000', 7, null, ['a'], { key: 'a' }]

describe.each<[string, string[]]>([
  [
    'watch',
    [
      ...NOT_JSON,
      ...NAMES.map((key) => change({ key })),
      ...[-1, 1.5, 2 ** 53, 1e300, '9', null, true, [9], {}].map((version) => change({ version })),
      '{"origin":"x","event":"update","key":"a","version":1e999,"value":1}',
      ...['', 'UPDATE', 'delete', null, 1, ['update']].map((event) => change({ event })),
      ...[1, 'x', null, [], true].map((patch) => change({ value: undefined, base: 1, patch })),
      ...[-1, 1.5, '1', null].map((base) => change({ value: undefined, base, patch: {} })),
      '{"__proto__":{"event":"update","key":"a","version":9,"value":1}}',
      '{"constructor":{"prototype":{"polluted":1}}}',
    ],
  ],
  [
    'events',
    [
      ...NOT_JSON,
      ...NAMES.map((channel) => JSON.stringify({ origin: FORGED, channel, data: 1 })),
      JSON.stringify({ origin: FORGED, channel: 'c' }),
      JSON.stringify({ origin: FORGED, data: 1 }),
      `{"origin":"${FORGED}","channel":"c","data":${deep(65)}}`,
      `{"origin":"${FORGED}","channel":"c","data":${deep(200_000)}}`,
      `{"origin":"${FORGED}","channel":"c","data":1e999}`,
      '{"__proto__":{"channel":"c","data":1}}',
    ],
  ],
  [
    'revocations',
    [
      ...NOT_JSON,
      ...[7, null, ['ann'], { id: 'ann' }, undefined].map((user) => JSON.stringify({ origin: FORGED, user })),
      ...['a*', '*:a', '', 'a/b', '{id}', 7, null, []].map((pattern) => JSON.stringify({ origin: FORGED, user: 'ann', pattern })),
      '{"__proto__":{"user":"ann"}}',
    ],
  ],
])('rubbish on <prefix>:%s', (channel, messages) => {
  test('[N4] [X4] is dropped, counted and reported, without any effect', async () => {
    for (const message of messages) await attacker.publish(`tutti:${channel}`, message)
    await works()
    expect(told.filter((text) => !text.startsWith('message: '))).toEqual([])
    expect(told).toHaveLength(messages.length)
    expect(served.realtime.counts.droppedMessages).toBe(messages.length)
  })

  test('[N4] [X4] of any kind has no effect', async () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc
        .record(
          {
            origin: fc.constantFrom(FORGED, instanceId, ''),
            channel: fc.jsonValue(),
            key: fc.jsonValue(),
            user: fc.jsonValue(),
            version: fc.jsonValue(),
            patch: fc.jsonValue(),
          },
          { requiredKeys: [] },
        )
        .map((fields) => JSON.stringify(fields)),
    )
    const seed = Math.trunc(Math.random() * 2 ** 31)
    for (const message of fc.sample(any, { seed, numRuns: 500 })) await attacker.publish(`tutti:${channel}`, message)
    await works()
    expect(client.of('server:revoked'), `seed ${seed}`).toEqual([])
    expect(client.of('storage:updated'), `seed ${seed}`).toHaveLength(1)
  })
})

test('[N2] a message with this instance’s origin is not received again', async () => {
  await attacker.publish('tutti:events', JSON.stringify({ origin: instanceId, channel: 'c', data: 'forged' }))
  await attacker.publish('tutti:events', JSON.stringify({ channel: 'c', data: 'forged', origin: instanceId }))
  await attacker.publish('tutti:revocations', JSON.stringify({ origin: instanceId, user: 'ann' }))
  await works()
  expect(client.received).toHaveLength(2)
  expect(served.realtime.counts.droppedMessages).toBe(0)
})

test.each([
  ['a value', `"value":${deep(200_000)}`],
  ['a value that JSON cannot say again', '"value":1e999'],
  ['a patch', `"base":1,"patch":{"a":${deep(200_000)}}`],
])('[N4] [S4] of %s that no client could have written: the entry is read instead', async (_, fields) => {
  const { version } = await served.realtime.state.get('a')
  await attacker.publish('tutti:watch', `{"origin":"${FORGED}","event":"update","key":"a","version":${version + 1},${fields}}`)
  await works()
  expect(told).toEqual([])
})

test('[N4] [X4] a patch that names the prototype is a patch of a property of that name', async () => {
  await served.realtime.state.set('todos:1', {})
  const { version } = await served.realtime.state.get('todos:1')
  await expect.poll(() => client.received.length).toBe(1)
  const patch = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
  await attacker.publish('tutti:watch', `{"event":"update","key":"todos:1","version":${version + 1},"base":${version},"patch":${patch}}`)
  await expect.poll(() => client.received.length).toBe(2)
  await works()
})
