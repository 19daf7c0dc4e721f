import { RealtimeError, toWireError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { codeOf, connectedClient, ownRequests, settled } from './setup-client.ts'

const forbidden = toWireError(new RealtimeError('FORBIDDEN', { message: 'Not yours.' }))

test('[X2] a key whose right is taken away shows FORBIDDEN on all its handles and is asked for again only for a new handle', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('mine', 'secret')
  const handles = [client.state('mine'), client.state('mine')]
  const other = client.state('other')
  await server.flush()
  server.link.keys.delete('mine')
  server.link.tell({ name: 'server:revoked', payload: { target: { key: 'mine' }, error: forbidden } })
  await server.flush()
  for (const handle of handles)
    expect(handle.current).toMatchObject({ value: 'secret', error: { code: 'FORBIDDEN', message: 'Not yours.' } })
  expect(other.current.error).toBeUndefined()
  clock.advance(600_000)
  await server.flush()
  expect(server.logged('storage:subscribe')).toHaveLength(1)
  server.write('mine', 'newer')
  const fresh = client.state('mine')
  await server.flush()
  expect(server.logged('storage:subscribe').at(-1)).toEqual({ keys: [{ key: 'mine', version: 1 }] })
  for (const handle of [...handles, fresh]) expect(handle.current).toMatchObject({ value: 'newer', error: undefined })
})

test('[X2] after a reconnect a key that was taken away is asked for once; a refusal is shown as before', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('mine')
  await server.flush()
  server.link.tell({ name: 'server:revoked', payload: { target: { key: 'mine' }, error: forbidden } })
  await server.flush()
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
  server.link.cut()
  clock.advance(1_000)
  await server.flush()
  expect(server.logged('storage:subscribe')).toHaveLength(2)
  expect(handle.current).toMatchObject({ error: { code: 'FORBIDDEN' } })
})

test('[X2] a key that may not be read shows FORBIDDEN and is not asked for again; a change that may not be made is taken back', async () => {
  const { client, server, clock } = await connectedClient()
  server.judge = ({ name }) => (name === 'storage:subscribe' || name === 'storage:set' ? new RealtimeError('FORBIDDEN') : undefined)
  const handle = client.state('theirs', { default: 'nothing' })
  await server.flush()
  expect(handle.current).toMatchObject({ value: 'nothing', loading: false, error: { code: 'FORBIDDEN' } })
  const change = handle.set('mine')
  await server.flush()
  expect(await codeOf(change)).toBe('FORBIDDEN')
  expect(handle.current).toMatchObject({ value: 'nothing', pending: false, error: { code: 'FORBIDDEN' } })
  expect(await ownRequests({ server, clock })).toBe(0)
  expect(server.logged('storage:subscribe')).toHaveLength(1)
})

test('[X2] what is revoked while a question about it is open waits for the answer', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('mine')
  await server.flush()
  handle.dispose()
  await settled()
  const again = client.state('mine')
  server.link.tell({ name: 'server:revoked', payload: { target: { key: 'mine' }, error: forbidden } })
  server.link.tell({ name: 'server:revoked', payload: { target: { key: 'unknown' }, error: forbidden } })
  while (server.deliverDown(server.link));
  await settled()
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:unsubscribe'])
  await server.flush()
  expect(again.current).toMatchObject({ loading: false, error: undefined })
  expect(server.subscribers('mine')).toBe(1)
})

test('[X2] a channel that is taken away is reported, no longer subscribed, and asked for again for a new listener', async () => {
  const { client, server, errors } = await connectedClient()
  const heard: unknown[] = []
  client.events.subscribe('chat:*', (data) => heard.push(data))
  await server.flush()
  server.link.channels.delete('chat:*')
  server.link.tell({ name: 'server:revoked', payload: { target: { channel: 'chat:*' }, error: forbidden } })
  await server.flush()
  expect(errors).toMatchObject([{ code: 'FORBIDDEN', message: 'Not yours.' }])
  client.events.subscribe('chat:*', (data) => heard.push(data))
  await server.flush()
  expect(server.logged('event:subscribe')).toHaveLength(2)
  server.link.tell({ name: 'event:received', payload: { channel: 'chat:1', data: 'hello' } })
  await server.flush()
  expect(heard).toEqual(['hello', 'hello'])
})
