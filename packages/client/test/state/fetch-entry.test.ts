import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { connectedClient, failNext, ownRequests, unavailable } from '../setup-client.ts'

test('[S2] an update during a retry delay does not change this or the next delay', async () => {
  const { client, server, clock } = await connectedClient()
  let failing = 'a'
  server.judge = ({ name, payload }) =>
    name === 'storage:subscribe' && 'keys' in payload && payload.keys.some(({ key }) => key === failing) ? unavailable() : undefined
  const first = client.state('a')
  await server.flush()
  const second = client.state('b')
  await server.flush()
  expect([first.current.loading, second.current.loading]).toEqual([true, false])
  expect(clock.nextMs).toBe(500)
  failing = 'c'
  clock.advance(500)
  await server.flush()
  expect(first.current.loading).toBe(false)
  client.state('c')
  await server.flush()
  expect(clock.nextMs).toBe(500)
})

test('[S9] an offline update of a closed handle requests its entry after the reconnect', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  client.connection.disconnect()
  const handle = client.state('count', { default: 0 })
  const done = handle.update((value) => value + 1)
  handle.dispose()
  client.connection.connect()
  await server.flush()
  await done
  expect(server.value('count')).toBe(2)
})

test('[C2] a key with a missed version is requested once after reconnecting', async () => {
  const { client, server } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  server.link.notify({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: { b: 2 } } })
  server.deliverDown(server.link)
  client.connection.disconnect()
  server.entries.set('doc', { key: 'doc', version: 9, value: { a: 1, b: 2 } })
  server.log.length = 0
  client.connection.connect()
  await server.flush()
  expect(server.log.map(({ name }) => name)).toEqual(['storage:subscribe'])
  expect(handle.current).toMatchObject({ version: 9 })
})

test('[S8] a request that fails temporarily is repeated, for any number of versions', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  let failures = 1
  server.judge = ({ name }) => (name === 'storage:get' && failures-- > 0 ? unavailable() : undefined)
  server.entries.set('doc', { key: 'doc', version: 9, value: 'whole' })
  server.link.notify({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: {} } })
  await server.flush()
  clock.advance(500)
  await server.flush()
  expect(handle.current).toMatchObject({ value: 'whole', version: 9 })
})

test('[S8] a failed request for an entry is repeated', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  failNext(server, 'storage:get', new RealtimeError('UNAVAILABLE'))
  server.entries.set('doc', { key: 'doc', version: 9, value: { whole: true } })
  const notify = (version: number): void =>
    server.link.notify({ name: 'storage:updated', payload: { key: 'doc', version, base: version - 1, patch: { c: 3 } } })
  notify(8)
  notify(9)
  await server.flush()
  expect(server.logged('storage:get')).toHaveLength(1)
  expect(handle.current).toMatchObject({ value: { a: 1 }, version: 1 })
  clock.advance(500)
  await server.flush()
  expect(handle.current).toMatchObject({ value: { whole: true }, version: 9 })
  expect(server.logged('storage:get')).toHaveLength(2)
})

test('[S8] an entry that cannot be read is not requested without end', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  failNext(server, 'storage:get', new RealtimeError('INTERNAL'))
  server.link.notify({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: { c: 3 } } })
  await server.flush()
  expect(await ownRequests({ server, clock })).toBe(0)
  expect(server.logged('storage:get')).toHaveLength(1)
  expect(handle.current).toMatchObject({ value: { a: 1 }, version: 1 })
  void handle.patch({ b: 2 })
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:patch'])
})

test('[S3] a key that is readable again shows its entry', async () => {
  const { client, server, clock } = await connectedClient()
  const refused = new RealtimeError('TOO_MANY_SUBSCRIPTIONS')
  const handle = client.state('count', { default: 0 })
  await server.flush()
  server.link.cut()
  failNext(server, 'storage:subscribe', refused)
  clock.advance(1_000)
  await server.flush()
  expect(handle.current.error).toMatchObject({ code: 'TOO_MANY_SUBSCRIPTIONS' })
  const seen: unknown[] = []
  handle.subscribe(({ error }) => seen.push(error))
  server.link.cut()
  clock.advance(1_000)
  await server.flush()
  expect(handle.current).toMatchObject({ error: undefined, version: 0 })
  expect(seen).toEqual([undefined])
})
