import { expect, test } from 'vitest'
import { connectedClient, settled } from '../setup-client.ts'

test('[S15] a key released while it is being subscribed is ended after the reply', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await settled()
  handle.dispose()
  await settled()
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:subscribe'])
  await server.flush()
  expect(server.log.map(({ name }) => name)).toEqual(['storage:subscribe', 'storage:unsubscribe'])
  expect(server.subscribers('count')).toBe(0)
})

test('[S8] a patch without its base is not applied but causes a request for the entry', async () => {
  const { client, server } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  server.link.notify({ name: 'storage:updated', payload: { key: 'doc', version: 2, base: 1, patch: { b: 2 } } })
  await server.flush()
  expect(handle.current).toMatchObject({ value: { a: 1, b: 2 }, version: 2 })
  expect(server.logged('storage:get')).toEqual([])
  server.entries.set('doc', { key: 'doc', version: 9, value: { whole: true } })
  server.link.notify({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: { c: 3 } } })
  await server.flush()
  expect(server.logged('storage:get')).toEqual([{ key: 'doc' }])
  expect(handle.current).toMatchObject({ value: { whole: true }, version: 9 })
})

test('[S3] an older update is ignored, a reset is applied', async () => {
  const { client, server } = await connectedClient()
  server.write('key', 'new', 10)
  const handle = client.state('key')
  await server.flush()
  server.link.notify({ name: 'storage:updated', payload: { key: 'key', version: 9, value: 'old' } })
  server.link.notify({ name: 'storage:updated', payload: { key: 'key', version: 9, base: 8, patch: {} } })
  await server.flush()
  expect(handle.current).toMatchObject({ value: 'new', version: 10 })
  server.link.notify({ name: 'storage:updated', payload: { key: 'key', version: 9, value: 'kept', reset: true } })
  await server.flush()
  expect(handle.current).toMatchObject({ value: 'kept', version: 9 })
})
