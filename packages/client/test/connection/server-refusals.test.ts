import { RealtimeError, toWireError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { ModelServer } from '../model-server.ts'
import { connectedClient, startClient } from '../setup-client.ts'

// Messages about the server's state and the client's rights: degraded, rate limited, unauthenticated.

const away = new RealtimeError('UNAVAILABLE', { message: 'no store' })

test('[F4] while degraded, refused requests wait; after it they are sent within 2 s', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  server.judge = ({ name }) => (name === 'storage:set' || name === 'storage:subscribe' ? away : undefined)
  server.link.notify({ name: 'server:status', payload: { degraded: true } })
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'connected', degraded: true, instance: 'instance-1' })
  const done = handle.set(1)
  const other = client.state('other', { default: 0 })
  await server.flush()
  for (let second = 0; second < 60; second++) {
    clock.advance(1_000)
    await server.flush()
  }
  expect(server.logged('storage:set')).toHaveLength(1)
  expect(server.logged('storage:subscribe')).toHaveLength(2)
  expect(handle.current).toMatchObject({ value: 1, pending: true, error: undefined })
  server.judge = () => undefined
  server.write('other', 'there')
  server.link.notify({ name: 'server:status', payload: { degraded: false } })
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'connected', degraded: false })
  clock.advance(2_000)
  await server.flush()
  await done
  expect(handle.current).toMatchObject({ value: 1, pending: false })
  expect(other.current).toMatchObject({ value: 'there', loading: false })
})

test('[F4] another server does not inherit degraded from the last one', async () => {
  const { client, server, clock } = await connectedClient()
  server.link.notify({ name: 'server:status', payload: { degraded: true } })
  await server.flush()
  server.link.cut()
  expect(client.connection.current).toMatchObject({ status: 'reconnecting', degraded: false })
  clock.advance(1_000)
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'connected', degraded: false })
})

test('[X1] an unauthenticated client is closed until connect() with new credentials', async () => {
  const server = new ModelServer()
  server.refuseLinks = new RealtimeError('UNAUTHENTICATED', { message: 'Who are you?' })
  let token = 'old'
  const { client, clock, network } = startClient({ auth: () => ({ token }) }, server)
  const change = client.state('count', { default: 0 }).set(1)
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'closed', reason: { code: 'UNAUTHENTICATED', message: 'Who are you?' } })
  expect(clock.waiting).toBe(0)
  network.turn(false)
  network.turn(true)
  await server.flush()
  expect(server.links).toHaveLength(1)
  server.refuseLinks = undefined
  token = 'new'
  client.connection.connect()
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'connected', reason: undefined })
  expect(server.link.handshake).toMatchObject({ token: 'new' })
  await change
  expect(server.value('count')).toBe(1)
})

test('[X1] after its sign-in ended, it reconnects with new credentials', async () => {
  let atRequest = 0
  const { client, server, clock } = await connectedClient({ auth: () => ({ token: `token-${++atRequest}` }) })
  const handle = client.state('count', { default: 0 })
  await server.flush()
  server.link.notify({
    name: 'server:revoked',
    payload: { target: { connection: true }, error: toWireError(new RealtimeError('UNAUTHENTICATED')) },
  })
  await server.flush()
  server.link.cut(new RealtimeError('UNAVAILABLE', { message: 'io server disconnect' }))
  expect(client.connection.current.status).toBe('reconnecting')
  server.write('count', 7)
  clock.advance(1_000)
  await server.flush()
  expect(server.link.handshake).toMatchObject({ token: 'token-2' })
  expect(handle.current).toMatchObject({ value: 7, error: undefined })
})

test('[C4] a client closed as a slow consumer reconnects', async () => {
  const { client, server, clock } = await connectedClient()
  server.link.cut(new RealtimeError('UNAVAILABLE', { message: 'SLOW_CONSUMER' }))
  clock.advance(1_000)
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
})

test("[X5] a rate-limited change stays pending and is sent after the server's delay", async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state<string>('doc')
  await server.flush()
  let limited = true
  server.judge = ({ name }) =>
    limited && /set|increment|patch/.test(name) ? new RealtimeError('RATE_LIMITED', { retryAfterMs: 7_000 }) : undefined
  const first = handle.set('a')
  await server.flush()
  const second = handle.update((value) => `${value}b`)
  await server.flush()
  expect(handle.current).toMatchObject({ value: 'ab', pending: true, error: undefined })
  clock.advance(6_999)
  await server.flush()
  expect(server.logged('storage:set')).toHaveLength(1)
  limited = false
  clock.advance(1)
  await server.flush()
  await Promise.all([first, second])
  expect(server.logged('storage:set').map(({ value, mutation }) => [value, mutation?.number])).toEqual([
    ['a', 1],
    ['a', 1],
    ['ab', 2],
  ])
})

test('[X5] a rate-limited event is not queued: its error contains the delay', async () => {
  const { client, server } = await connectedClient()
  server.judge = () => new RealtimeError('RATE_LIMITED', { retryAfterMs: 300 })
  const published = client.events.publish('chat:1', 'hello')
  await server.flush()
  await expect(published).rejects.toMatchObject({ code: 'RATE_LIMITED', retryable: true, retryAfterMs: 300 })
})
