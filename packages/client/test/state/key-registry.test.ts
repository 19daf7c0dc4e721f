import { expect, test } from 'vitest'
import { codeOf, connectedClient, ownRequests, settled, unavailable } from '../setup-client.ts'

// How long the client retains the data of a key.

test('[S15] a key without users is forgotten, also while it waits', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  server.judge = ({ name }) => (name === 'storage:get' ? unavailable() : undefined)
  server.link.tell({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: {} } })
  await server.flush()
  expect(server.logged('storage:get')).toHaveLength(1)
  handle.dispose()
  await server.flush()
  expect(await ownRequests({ server, clock })).toBe(0)
})

test('[S15] a key that is being given up when the connection is lost is forgotten too', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const handle = client.state('count')
  await server.flush()
  handle.dispose()
  client.connection.disconnect()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S15] a handle that is disposed of twice ends nothing of another', async () => {
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

test('[S15] an answer that comes when its handle is gone takes nothing from the next one', async () => {
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

test('[S15] of two handles one is disposed of: nothing is asked for', async () => {
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

test('[S15] a key that was left by all users is unknown when it is used again', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const first = client.state('count')
  await server.flush()
  first.dispose()
  expect(await codeOf(first.refresh())).toBe('CLOSED')
  await server.flush()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S15] a subscription whose answer is lost with the connection is no refused one', async () => {
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
