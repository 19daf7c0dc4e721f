import { expect, test } from 'vitest'
import { codeOf, connectedClient, ownRequests, settled, unavailable } from '../setup-client.ts'

// How long the client retains the data of a key.

test('[S15] a key without users is forgotten, even while waiting', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  server.judge = ({ name }) => (name === 'storage:get' ? unavailable() : undefined)
  server.link.notify({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: {} } })
  await server.flush()
  expect(server.logged('storage:get')).toHaveLength(1)
  handle.dispose()
  await server.flush()
  expect(await ownRequests({ server, clock })).toBe(0)
})

test('[S15] a key released when the connection is lost is forgotten too', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const handle = client.state('count')
  await server.flush()
  handle.dispose()
  client.connection.disconnect()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S15] disposing of a handle twice does not affect another', async () => {
  const { client, server } = await connectedClient()
  const first = client.state('count')
  await server.flush()
  first.dispose()
  await server.flush()
  const second = client.state('count')
  first.dispose()
  await server.flush()
  server.write('count', 1)
  await server.flush()
  expect(second.current.value).toBe(1)
})

test('[S15] a reply for a disposed handle does not affect the next one', async () => {
  const { client, server } = await connectedClient()
  const first = client.state('count')
  await server.flush()
  const refreshed = first.refresh()
  server.deliverUp(server.link)
  const [late] = server.link.down.splice(0)
  first.dispose()
  await server.flush()
  const second = client.state('count')
  late?.()
  await refreshed
  await server.flush()
  server.write('count', 5, 5)
  await server.flush()
  expect(second.current.value).toBe(5)
})

test('[S15] disposing of one of two handles sends no request', async () => {
  const { client, server } = await connectedClient()
  const kept = client.state('count', { default: 0 })
  const gone = client.state('count', { default: 0 })
  const done = gone.update((value) => value + 1)
  gone.dispose()
  await server.flush()
  await done
  expect(kept.current.value).toBe(1)
  expect(server.logged('storage:get')).toEqual([])
})

test('[S15] a key without users is unknown when it is used again', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const first = client.state('count')
  await server.flush()
  first.dispose()
  expect(await codeOf(first.refresh())).toBe('CLOSED')
  await server.flush()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S15] a subscription without a reply on connection loss is not refused', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await settled()
  expect(server.link.up).toHaveLength(1)
  server.link.cut()
  await settled()
  expect(handle.current).toMatchObject({ loading: true, error: undefined })
  clock.advance(1_000)
  await server.flush()
  expect(handle.current).toMatchObject({ loading: false, error: undefined })
})
