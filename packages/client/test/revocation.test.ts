import { RealtimeError, toWireError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { codeOf, connectedClient, ownRequests, settled } from './setup-client.ts'

const forbidden = toWireError(new RealtimeError('FORBIDDEN', { message: 'Not yours.' }))

test('[X2] a revoked key shows FORBIDDEN on its handles until a new handle requests it', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('mine', 'secret')
  const handles = [client.state('mine'), client.state('mine')]
  const other = client.state('other')
  await server.flush()
  server.link.keys.delete('mine')
  server.link.notify({ name: 'server:revoked', payload: { target: { key: 'mine' }, error: forbidden } })
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

test('[X2] after a reconnect a revoked key is requested once; the refusal stays shown', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('mine')
  await server.flush()
  server.link.notify({ name: 'server:revoked', payload: { target: { key: 'mine' }, error: forbidden } })
  await server.flush()
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
  server.link.cut()
  clock.advance(1_000)
  await server.flush()
  expect(server.logged('storage:subscribe')).toHaveLength(2)
  expect(handle.current).toMatchObject({ error: { code: 'FORBIDDEN' } })
})

test('[X2] an unreadable key shows FORBIDDEN, and a forbidden change is reverted', async () => {
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

test('[X2] a revocation during a request waits for its reply', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('mine')
  await server.flush()
  handle.dispose()
  await settled()
  const again = client.state('mine')
  server.link.notify({ name: 'server:revoked', payload: { target: { key: 'mine' }, error: forbidden } })
  server.link.notify({ name: 'server:revoked', payload: { target: { key: 'unknown' }, error: forbidden } })
  while (server.deliverDown(server.link));
  await settled()
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:unsubscribe'])
  await server.flush()
  expect(again.current).toMatchObject({ loading: false, error: undefined })
  expect(server.subscribers('mine')).toBe(1)
})

test('[X2] a revoked channel is reported and requested again for a new listener', async () => {
  const { client, server, errors } = await connectedClient()
  const received: unknown[] = []
  client.events.subscribe('chat:*', (data) => received.push(data))
  await server.flush()
  server.link.channels.delete('chat:*')
  server.link.notify({ name: 'server:revoked', payload: { target: { channel: 'chat:*' }, error: forbidden } })
  await server.flush()
  expect(errors).toMatchObject([{ code: 'FORBIDDEN', message: 'Not yours.' }])
  client.events.subscribe('chat:*', (data) => received.push(data))
  await server.flush()
  expect(server.logged('event:subscribe')).toHaveLength(2)
  server.link.notify({ name: 'event:received', payload: { channel: 'chat:1', data: 'hello' } })
  await server.flush()
  expect(received).toEqual(['hello', 'hello'])
})
