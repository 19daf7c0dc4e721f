import { RealtimeError, type Requests } from '@tutti/protocol'
import { compareKeys, valueOf } from '@tutti/protocol/internal'
import { seededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { collection, type Collection } from '../../src/collection/collection.ts'
import { ModelServer } from '../model-server.ts'
import { codeOf, connectedClient, settled } from '../setup-client.ts'

const shown = ({ current }: Collection<unknown>): unknown[] => current.items.map(({ key, value }) => [key, value])
type Question = Requests['storage:subscribe']['payload']
const isOfPrefix = (question: Question): question is Extract<Question, { prefix: string }> => 'prefix' in question
const questions = (server: ModelServer) => server.logged('storage:subscribe').filter(isOfPrefix)

async function connected(options: Parameters<typeof collection>[2] = {}, server = new ModelServer()) {
  const { client } = await connectedClient({}, server)
  const todos = collection<unknown>(client, 'todos:', options)
  await server.flush()
  return { client, server, todos }
}

test('[S17] entries below the prefix are shown in order and updated live', async () => {
  const server = new ModelServer()
  for (const key of ['todos:b', 'todos:a', 'other:c', 'todos']) server.write(key, key)
  const { todos } = await connected({}, server)
  expect(todos.current).toMatchObject({ loading: false, pending: false, error: undefined, hasMore: false })
  expect(shown(todos)).toEqual([
    ['todos:a', 'todos:a'],
    ['todos:b', 'todos:b'],
  ])
  server.write('todos:c', 1)
  server.write('todos:b', 2)
  server.write('todos:a', undefined)
  server.write('other:c', 3)
  await server.flush()
  // The prefix delivers all entries: keys have no subscriptions.
  expect([...server.link.keys]).toEqual([])
  expect(shown(todos)).toEqual([
    ['todos:b', 2],
    ['todos:c', 1],
  ])
})

test('[S17] a large collection is loaded in pages, and beyond the limit by loadMore', async () => {
  const server = new ModelServer()
  server.pageSize = 3
  for (let place = 0; place < 10; place++) server.write(`todos:${place}`, place)
  const { todos } = await connected({ limit: 5 }, server)
  expect(todos.current.items).toHaveLength(6)
  expect(todos.current).toMatchObject({ hasMore: true, loading: false })
  expect(questions(server)).toHaveLength(2)
  server.write('todos:9', 'not loaded')
  server.write('todos:55', 'loaded')
  await server.flush()
  expect(todos.current.items.map(({ key }) => key)).toEqual(['todos:0', 'todos:1', 'todos:2', 'todos:3', 'todos:4', 'todos:5'])
  todos.loadMore(100)
  await server.flush()
  expect(todos.current.items).toHaveLength(11)
  expect(todos.current.hasMore).toBe(false)
})

test('[S13] local changes of every kind show at once, and are sent', async () => {
  const { server, todos } = await connected()
  const key = todos.add({ text: 'Milk', done: false })
  const second = todos.add({ text: 'Bread', done: false })
  expect(key < second).toBe(true)
  expect(shown(todos)).toEqual([
    [key, { text: 'Milk', done: false }],
    [second, { text: 'Bread', done: false }],
  ])
  expect(todos.current.items[0]).toMatchObject({ pending: true, version: 0 })
  expect(server.value(key)).toBe(undefined)
  await server.flush()
  expect(server.value(key)).toEqual({ text: 'Milk', done: false })
  expect(todos.current.pending).toBe(false)
  void todos.patch(key, { done: true })
  void todos.remove(second)
  void todos.update('todos:count', (count) => (typeof count === 'number' ? count + 1 : 1))
  expect(shown(todos)).toEqual([
    [key, { text: 'Milk', done: true }],
    ['todos:count', 1],
  ])
  await server.flush()
  expect(server.value(key)).toEqual({ text: 'Milk', done: true })
  expect(server.value(second)).toBe(undefined)
  expect(server.value('todos:count')).toBe(1)
  expect(todos.current).toMatchObject({ pending: false, error: undefined })
})

test('[S13] a refused change is reverted, with the reason', async () => {
  const { server, todos } = await connected()
  server.write('todos:1', 'stays')
  await server.flush()
  server.judge = ({ name }) => (name === 'storage:set' || name === 'storage:remove' ? new RealtimeError('FORBIDDEN') : undefined)
  const codes = [codeOf(todos.set('todos:1', 'refused')), codeOf(todos.remove('todos:1'))]
  todos.add('refused')
  await server.flush()
  expect(await Promise.all(codes)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
  expect(shown(todos)).toEqual([['todos:1', 'stays']])
  expect(todos.current.error).toMatchObject({ code: 'FORBIDDEN' })
})

test('[S14] offline changes show, and are sent after reconnecting', async () => {
  const { client, server, todos } = await connected()
  server.write('todos:1', 1)
  await server.flush()
  client.connection.disconnect()
  void todos.remove('todos:1')
  const key = todos.add('offline')
  expect(shown(todos)).toEqual([[key, 'offline']])
  server.write('todos:2', 'meanwhile')
  client.connection.connect()
  await server.flush()
  expect([server.value('todos:1'), server.value(key)]).toEqual([undefined, 'offline'])
  expect(Object.fromEntries(todos.current.items.map((item) => [item.key, item.value]))).toEqual({
    [key]: 'offline',
    'todos:2': 'meanwhile',
  })
})

test('[C2] after a reconnect only differences are sent, and removed entries disappear', async () => {
  const server = new ModelServer()
  server.pageSize = 4
  for (let place = 0; place < 8; place++) server.write(`todos:${place}`, place)
  const { client, todos } = await connected({}, server)
  client.connection.disconnect()
  server.write('todos:1', 'changed')
  server.write('todos:3', undefined)
  server.write('todos:7', undefined)
  server.log.length = 0
  client.connection.connect()
  await server.flush()
  expect(questions(server)[0]?.versions).toHaveProperty('todos:0', 1)
  expect(todos.current.items.map(({ value }) => value)).toEqual([0, 'changed', 2, 4, 5, 6])
})

test('[C2] versions beyond a message are omitted, and removed entries still disappear', async () => {
  const server = new ModelServer()
  server.limits = { ...server.limits, maxKeysPerMessage: 2 }
  for (let place = 0; place < 6; place++) server.write(`todos:${place}`, place)
  const { client, todos } = await connected({}, server)
  client.connection.disconnect()
  for (const key of ['todos:0', 'todos:4']) server.write(key, undefined)
  client.connection.connect()
  await server.flush()
  expect(todos.current.items.map(({ value }) => value)).toEqual([1, 2, 3, 5])
  for (const { versions = {} } of questions(server)) expect(Object.keys(versions).length).toBeLessThanOrEqual(2)
})

test('[S15] handles and collections share changes and one subscription of the prefix', async () => {
  const { client, server, todos } = await connected()
  const again = collection<unknown>(client, 'todos:')
  const handle = client.state<string>('todos:1')
  void handle.set('by handle')
  expect(shown(todos)).toEqual([['todos:1', 'by handle']])
  void todos.set('todos:1', 'by collection')
  expect([handle.current.value, shown(again)]).toEqual(['by collection', [['todos:1', 'by collection']]])
  await server.flush()
  handle.dispose()
  todos.dispose()
  await server.flush()
  server.write('todos:1', 'live')
  await server.flush()
  expect(shown(again)).toEqual([['todos:1', 'live']])
  expect(server.logged('storage:unsubscribe')).toEqual([{ keys: [{ key: 'todos:1' }] }])
  again.dispose()
  await server.flush()
  expect(server.logged('storage:unsubscribe').at(-1)).toEqual({ prefix: 'todos:' })
  expect(await codeOf(again.set('todos:1', 1))).toBe('CLOSED')
})

test('[X2] an unreadable prefix shows its error, and is requested after a reconnect', async () => {
  const server = new ModelServer()
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
  const { client, todos } = await connected({}, server)
  expect(todos.current).toMatchObject({ loading: false, error: { code: 'FORBIDDEN' } })
  server.judge = () => undefined
  client.connection.disconnect()
  client.connection.connect()
  await server.flush()
  expect(todos.current).toMatchObject({ loading: false, error: undefined })
})

test('[S19] keys that are not below the prefix are refused', async () => {
  const { client, todos } = await connected()
  for (const key of ['other:1', 'todos', 'todos:', 'todos:a/b']) expect(await codeOf(todos.set(key, 1))).toBe('INVALID_KEY')
  expect(todos.current.error).toMatchObject({ code: 'INVALID_KEY' })
  for (const prefix of ['todos', ':', 'a/b:', '']) expect(() => collection(client, prefix)).toThrow(RealtimeError)
})

test('[S17] after random operations a collection equals the stored entries', async () => {
  for (let seed = 1; seed <= 150; seed++) {
    const random = seededRandom(seed)
    const server = new ModelServer()
    server.pageSize = 1 + random.below(4)
    const { client, todos } = await connected({}, server)
    const keys = Array.from({ length: 6 }, (_, place) => `todos:${place}`)
    for (let step = 0; step < 60; step++) {
      const key = random.pick(keys)
      switch (random.below(8)) {
        case 0:
          client.connection.disconnect()
          break
        case 1:
          client.connection.connect()
          await settled()
          break
        case 2:
          server.write(key, random.below(3) === 0 ? undefined : step)
          break
        case 3:
          void (random.below(2) === 0 ? todos.set(key, step) : todos.remove(key))
          break
        case 4:
          void todos.update(key, (value) => `${String(value)}+`)
          break
        case 5:
          for (const link of server.openLinks) server.deliverUp(link)
          break
        default:
          for (const link of server.openLinks) server.deliverDown(link)
      }
    }
    client.connection.connect()
    await server.flush()
    const stored = [...server.entries.values()].filter((entry) => 'value' in entry).toSorted((a, b) => compareKeys(a.key, b.key))
    expect(shown(todos), `seed ${seed}`).toEqual(stored.map((entry) => [entry.key, valueOf(entry)]))
    expect(todos.current, `seed ${seed}`).toMatchObject({ pending: false, loading: false, hasMore: false, error: undefined })
  }
})
