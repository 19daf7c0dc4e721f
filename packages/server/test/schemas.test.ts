import { defineSchema, type RequestName } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { startRedis, type TestRedis } from '@tutti/test-kit'
import * as v from 'valibot'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { serve, type PlainClient, type Served } from './serve.ts'

const todo = v.strictObject({ title: v.pipe(v.string(), v.maxLength(5)), done: v.optional(v.boolean()), note: v.optional(v.string()) })
const schema = defineSchema({
  state: {
    'todos:*': todo,
    votes: v.pipe(v.number(), v.minValue(0), v.maxValue(10)),
    later: v.pipeAsync(
      v.any(),
      v.checkAsync(async () => true),
    ),
  },
  events: { 'chat:*': v.object({ text: v.string() }) },
})

let redis: TestRedis
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis.stop())

const onRedis = (): Partial<AttachRealtimeOptions> => {
  const pubsub = new RealtimePubSub({ url: redis.url })
  return { pubsub, state: reactiveRedisDriver({ pubsub, base: crypto.randomUUID() }) }
}

describe.each([
  ['in memory', (): Partial<AttachRealtimeOptions> => ({})],
  ['on Redis', onRedis],
])('state %s', (_, storeOf) => {
  async function served(): Promise<{ server: Served; client: PlainClient }> {
    const server = await serve({ schema, ...storeOf() })
    onTestFinished(() => server.close())
    return { server, client: await server.connect({ auth: { clientId: 'c' } }) }
  }

  const refused = (issues: unknown) => ({
    ok: false,
    error: {
      code: 'INVALID_VALUE',
      message: expect.stringContaining('does not match its schema: see `issues`.'),
      retryable: false,
      issues,
    },
  })

  test.each<[RequestName, object, string]>([
    ['storage:set', { key: 'todos:1', value: { title: 'Bread!' } }, 'title'],
    ['storage:set', { key: 'todos:1', value: 7 }, ''],
    ['storage:patch', { key: 'todos:1', patch: { title: 'Bread!' } }, 'title'],
    ['storage:patch', { key: 'todos:1', patch: { title: null } }, 'title'],
    ['storage:patch', { key: 'todos:2', patch: { done: true } }, 'title'],
    ['storage:increment', { key: 'votes', by: 11 }, ''],
    ['storage:increment', { key: 'todos:9', by: 1 }, ''],
  ])('[X6] %s %j is refused with the issues, without effect', async (name, message, path) => {
    const { server, client } = await served()
    await server.realtime.state.set('todos:1', { title: 'Milk' })
    const watcher = await server.connect()
    const keys = ['todos:1', 'todos:2', 'todos:9', 'votes'].map((key) => ({ key }))
    const before = await watcher.request('storage:subscribe', { keys })
    expect(await client.send(name, message)).toEqual(refused([{ path, message: expect.any(String) }]))
    expect(await watcher.request('storage:subscribe', { keys })).toEqual(before)
    expect(watcher.of('storage:updated')).toEqual([])
  })

  test('[X6] what fits is stored as it is, and what has no schema is free', async () => {
    const { server, client } = await served()
    await client.request('storage:set', { key: 'todos:1', value: { title: 'Milk' } })
    await client.request('storage:patch', { key: 'todos:1', patch: { done: true } })
    expect(await client.request('storage:increment', { key: 'votes', by: 10 })).toMatchObject({ value: 10 })
    expect(await client.send('storage:increment', { key: 'votes', by: 1 })).toMatchObject({ error: { code: 'INVALID_VALUE' } })
    expect(await client.request('storage:increment', { key: 'votes', by: -3 })).toMatchObject({ value: 7 })
    await client.request('storage:remove', { key: 'votes' })
    await client.request('storage:set', { key: 'free', value: [1] })
    expect(await server.realtime.state.get('todos:1')).toMatchObject({ value: { title: 'Milk', done: true } })
  })

  test('[X6] [S7] 100 concurrent increments stop exactly at the schema’s limit', async () => {
    const { server, client } = await served()
    const other = await server.connect()
    const replies = await Promise.all(
      Array.from({ length: 100 }, (__, index) => (index % 2 ? client : other).send('storage:increment', { key: 'votes', by: 1 })),
    )
    expect(replies.filter(({ ok }) => ok)).toHaveLength(10)
    expect(await server.realtime.state.get('votes')).toMatchObject({ value: 10 })
  })

  test('[X6] [S8] of patches written together only the invalid one is refused', async () => {
    const { server, client } = await served()
    await server.realtime.state.set('todos:1', { title: 'Milk' })
    const patches = [{ done: true }, { title: 'Bread!' }, { note: 'x' }, { wrong: 1 }]
    const replies = await Promise.all(patches.map((patch) => client.send('storage:patch', { key: 'todos:1', patch })))
    expect(replies.map(({ ok }) => ok)).toEqual([true, false, true, false])
    expect(await server.realtime.state.get('todos:1')).toMatchObject({ value: { title: 'Milk', done: true, note: 'x' } })
  })

  test('[X6] [S12] an applied mutation is answered again, even if now invalid', async () => {
    const { client } = await served()
    for (const [name, message] of [
      ['storage:increment', { key: 'votes', by: 6, mutation: { number: 1 } }],
      ['storage:patch', { key: 'todos:1', patch: { title: 'Milk' }, mutation: { number: 1 } }],
    ] as const) {
      const first = await client.send(name, message)
      if (name === 'storage:patch') await client.request('storage:set', { key: 'todos:1', value: { title: 'Bread', done: true } })
      expect(first).toMatchObject({ ok: true })
      expect(await client.send(name, message)).toEqual(first)
    }
  })

  test('[X6] server code is checked as well', async () => {
    const { server } = await served()
    const { state, events } = server.realtime
    await expect(state.set('votes', 'many')).rejects.toMatchObject({ code: 'INVALID_VALUE', issues: [{ path: '' }] })
    await expect(state.increment('votes', 11)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    await expect(state.patch('todos:3', {})).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    await expect(events.publish('chat:1', 1)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })
})

test('[X6] an invalid event reaches no subscriber', async () => {
  const server = await serve({ schema })
  onTestFinished(() => server.close())
  const [client, watcher] = [await server.connect(), await server.connect()]
  await watcher.request('event:subscribe', { channel: '*' })
  expect(await client.send('event:publish', { channel: 'chat:1', data: { text: 1 } })).toMatchObject({
    error: { code: 'INVALID_VALUE', issues: [{ path: 'text' }] },
  })
  await client.request('event:publish', { channel: 'chat:1', data: { text: 'a', more: 1 } })
  await watcher.request('storage:get', { key: 'k' })
  expect(watcher.of('event:received')).toEqual([{ channel: 'chat:1', data: { text: 'a', more: 1 } }])
})

test('[X6] [X7] an asynchronous schema is refused and reported', async () => {
  const errors: unknown[] = []
  const server = await serve({ schema, onError: (error) => errors.push(error) })
  onTestFinished(() => server.close())
  const client = await server.connect()
  expect(await client.send('storage:set', { key: 'later', value: 1 })).toMatchObject({ error: { code: 'INTERNAL' } })
  expect(errors).toEqual([expect.objectContaining({ message: expect.stringContaining('asynchronous') })])
  expect(await client.request('storage:get', { key: 'later' })).toMatchObject({ version: 0 })
})
