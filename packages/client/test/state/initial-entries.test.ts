import { listingEntry } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { collection } from '../../src/collection/collection.ts'
import { ModelServer } from '../model-server.ts'
import { connectedClient, startClient } from '../setup-client.ts'

test('[S22] rendered entries show from the start, and only differences are sent', async () => {
  const server = new ModelServer()
  const same = server.write('same', 1)
  const other = server.write('other', 2)
  const { client } = startClient({ entries: [same, other, { key: 'gone', version: 0, removed: true }] }, server)
  server.write('other', 3)
  const [first, second, gone, unknown] = ['same', 'other', 'gone', 'unknown'].map((key) => client.state(key, { default: 0 }))
  expect(first?.current).toMatchObject({ value: 1, loading: false, version: same.version })
  expect(second?.current).toMatchObject({ value: 2, loading: false })
  expect(gone?.current).toMatchObject({ value: 0, loading: false, version: 0 })
  expect(unknown?.current).toMatchObject({ value: 0, loading: true, version: undefined })
  await server.flush()
  expect(server.logged('storage:subscribe')).toEqual([
    {
      keys: [
        { key: 'same', version: same.version },
        { key: 'other', version: other.version },
        { key: 'gone', version: 0 },
        { key: 'unknown' },
      ],
    },
  ])
  expect([first, second, gone, unknown].map((handle) => handle?.current.value)).toEqual([1, 3, 0, 0])
})

test('[S22] a rendered entry is used once: later the server has newer ones', async () => {
  const server = new ModelServer()
  const entry = server.write('count', 1)
  const { client } = startClient({ entries: [entry] }, server)
  await server.flush()
  client.state('count').dispose()
  await server.flush()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S22] a rendered collection shows from the start; only differences are sent', async () => {
  const server = new ModelServer()
  const [a, b, c] = ['todos:a', 'todos:b', 'todos:c'].map((key) => server.write(key, key))
  if (!a || !b || !c) throw new Error('nothing written')
  const { client } = startClient({ entries: [c, a, b, listingEntry('todos:'), listingEntry('todos:deep:')] }, server)
  const todos = collection(client, 'todos:')
  expect(todos.current).toMatchObject({
    loading: false,
    hasMore: false,
    items: [{ value: 'todos:a' }, { value: 'todos:b' }, { value: 'todos:c' }],
  })
  const before = todos.current
  await server.flush()
  expect(todos.current).toBe(before)
  expect(server.logged('storage:subscribe')).toEqual([
    { prefix: 'todos:', versions: { 'todos:a': a.version, 'todos:b': b.version, 'todos:c': c.version } },
  ])
  server.write('todos:b', undefined)
  server.write('todos:d', 'new')
  await server.flush()
  expect(todos.current.items.map(({ value }) => value)).toEqual(['todos:a', 'todos:c', 'new'])
})

test('[S22] changes since the collection was rendered arrive with the first page', async () => {
  const server = new ModelServer()
  const entries = [...['todos:a', 'todos:b'].map((key) => server.write(key, 'old')), listingEntry('todos:')]
  server.write('todos:a', undefined)
  server.write('todos:b', 'new')
  server.write('todos:c', 'new')
  const { client } = startClient({ entries }, server)
  const todos = collection(client, 'todos:')
  expect(todos.current.items.map(({ key, value }) => [key, value])).toEqual([
    ['todos:a', 'old'],
    ['todos:b', 'old'],
  ])
  await server.flush()
  expect(todos.current.items.map(({ key, value }) => [key, value])).toEqual([
    ['todos:b', 'new'],
    ['todos:c', 'new'],
  ])
})

test('[S22] a rendered listing reports whether there are more entries', async () => {
  const server = new ModelServer()
  server.pageSize = 2
  const [a, b] = ['todos:a', 'todos:b', 'todos:c'].map((key) => server.write(key, key))
  if (!a || !b) throw new Error('nothing written')
  const { client } = startClient({ entries: [a, b, listingEntry('todos:', 'todos:b'), listingEntry('none:')] }, server)
  const todos = collection(client, 'todos:', { limit: 2 })
  const none = collection(client, 'none:')
  const read = () => [todos.current, none.current].map(({ items, loading, hasMore }) => [items.length, loading, hasMore])
  const expected = [
    [2, false, true],
    [0, false, false],
  ]
  expect(read()).toEqual(expected)
  await server.flush()
  expect(read()).toEqual(expected)
})

test('[S22] a rendered listing is used once: later the server has a newer one', async () => {
  const server = new ModelServer()
  const { client } = startClient({ entries: [server.write('todos:a', 1), listingEntry('todos:')] }, server)
  collection(client, 'todos:').dispose()
  expect(collection(client, 'todos:').current).toMatchObject({ items: [], loading: true })
})

test('[S13] a collection shows unconfirmed changes of handles from the start', async () => {
  const { client, server } = await connectedClient()
  void client.state('todos:a').set('offline')
  const todos = collection(client, 'todos:')
  expect(todos.current).toMatchObject({ loading: true, pending: true, items: [{ key: 'todos:a', value: 'offline', pending: true }] })
  await server.flush()
  expect(todos.current).toMatchObject({ loading: false, pending: false, items: [{ key: 'todos:a', value: 'offline', pending: false }] })
})

test('[S22] a rendered entry is used once, even without any connection', () => {
  const { client } = startClient({ entries: [{ key: 'count', version: 1, value: 1 }] })
  client.state('count').dispose()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})
