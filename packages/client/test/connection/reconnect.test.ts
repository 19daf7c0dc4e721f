import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { ModelServer } from '../model-server.ts'
import { connectedClient, settled, startClient, type TestClient } from '../setup-client.ts'

const refusal = new RealtimeError('UNAVAILABLE', { message: 'refused' })

/** Runs the timer that is due next, and what follows from it. */
async function next({ clock, server }: TestClient): Promise<void> {
  clock.advance(clock.nextMs ?? 0)
  await server.flush()
}

const shown = ({ client }: TestClient): unknown => {
  const { status, attempt } = client.connection.current
  return [status, attempt]
}

test('[C1] there are as many tries in a row as maxAttempts says, and as many again after connect()', async () => {
  const started = await connectedClient({ maxAttempts: 2 })
  const { client, server } = started
  server.refuseLinks = refusal
  server.link.cut()
  for (let round = 0; round < 2; round++) {
    const before = server.links.length
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(shown(started)).toEqual(['reconnecting', attempt])
      await next(started)
    }
    expect(server.links.length - before).toBe(2)
    expect(shown(started)).toEqual(['closed', 0])
    client.connection.connect()
    await server.flush()
  }
})

test('[C1] a first try that failed is followed by another of reconnecting; so is one after going offline by choice', async () => {
  const server = new ModelServer()
  server.refuseLinks = refusal
  const started = startClient({}, server)
  await server.flush()
  server.refuseLinks = undefined
  server.greets = false
  await next(started)
  expect(shown(started)).toEqual(['reconnecting', 1])
  server.greet(server.link)
  await server.flush()
  started.client.connection.disconnect()
  started.client.connection.connect()
  expect(shown(started)).toEqual(['reconnecting', 0])
})

test('[C1] what `auth` throws decides whether it is tried again', async () => {
  const auth = (error: Error) => async (): Promise<never> => {
    throw error
  }
  const closed = startClient({ auth: auth(new RealtimeError('UNAUTHENTICATED')) })
  await settled()
  expect(closed.client.connection.current).toMatchObject({ status: 'closed', reason: { code: 'UNAUTHENTICATED' } })
  const cause = new Error('no token')
  const waiting = startClient({ auth: auth(cause) })
  await settled()
  expect(waiting.client.connection.current).toMatchObject({ status: 'reconnecting', reason: { code: 'UNAVAILABLE', cause } })
})

test('[X5] a server that names a time is not asked before it', async () => {
  const started = await connectedClient()
  started.server.link.cut(new RealtimeError('RATE_LIMITED', { retryAfterMs: 7_000 }))
  expect(started.clock.nextMs).toBe(7_000)
})

test('[C1] a connection that is there, or being made, is not made again by connect()', async () => {
  const { client, server } = startClient()
  client.connection.connect()
  await server.flush()
  client.connection.connect()
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  expect(server.links).toHaveLength(1)
})

test('[C1] what the application switched off stays off when the network comes, until it connects again', async () => {
  const { client, server, network } = await connectedClient()
  client.connection.disconnect()
  network.turn(true)
  await server.flush()
  expect(client.connection.current.status).toBe('offline')
  client.connection.connect()
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  expect(server.links).toHaveLength(2)
})

test('[C1] a network that is told of again is no reason to begin anew', async () => {
  const { server, network } = await connectedClient()
  network.turn(true)
  await server.flush()
  expect(server.links).toHaveLength(1)
})

test('[S13] a closed client stays closed, whatever it is told', async () => {
  const { client, server, network } = await connectedClient()
  await client.close()
  const shows: unknown[] = []
  client.connection.subscribe(({ status }) => shows.push(status))
  client.connection.connect()
  client.connection.disconnect()
  network.turn(true)
  await server.flush()
  expect(client.connection.current.status).toBe('closed')
  expect(shows).toEqual([])
  expect(network.listeners.size).toBe(0)
  expect(server.openLinks).toEqual([])
})

test('[C5] of two times that a draining server names the last counts', async () => {
  const { client, server, clock } = await connectedClient()
  for (const reconnectAfterMs of [250, 1_000]) server.link.tell({ name: 'server:draining', payload: { reconnectAfterMs } })
  await server.flush()
  clock.advance(999)
  expect(client.connection.current.status).toBe('connected')
  clock.advance(1)
  expect(client.connection.current.status).toBe('reconnecting')
})

test('[C2] a second hello on one connection asks for nothing again', async () => {
  const { client, server } = await connectedClient()
  client.state('k')
  await server.flush()
  let shows = 0
  client.connection.subscribe(() => shows++)
  server.greet(server.link)
  await server.flush()
  expect(server.logged('storage:subscribe')).toHaveLength(1)
  expect(shows).toBe(0)
})

test('[C1] a client that was closed by a refusal stays so when the network comes', async () => {
  const { client, server, network } = await connectedClient()
  server.link.cut(new RealtimeError('PROTOCOL'))
  network.turn(true)
  await server.flush()
  expect(client.connection.current.status).toBe('closed')
})

test('[C1] before the hello nothing is sent', async () => {
  const server = new ModelServer()
  server.greets = false
  const { client } = startClient({}, server)
  await server.flush()
  await expect(client.events.publish('chat', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(server.link.up).toEqual([])
})

test('[C1] what `auth` says of the protocol and of the client does not count', async () => {
  const { client, server } = await connectedClient({ auth: { token: 't', protocol: 9, clientId: 'other', features: ['x'] } })
  expect(server.link.handshake).toEqual({ token: 't', protocol: 1, clientId: client.clientId, features: [] })
})

test('[S12] an answer that comes after its connection was given up is not heard', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  void handle.increment()
  const [late] = server.link.up.splice(0)
  clock.advance(10_000)
  expect(client.connection.current.status).toBe('reconnecting')
  late?.answer({ ok: true, value: 1, version: 5 })
  expect(handle.current).toMatchObject({ value: 1, pending: true })
})

test('[C1] connect() while the next try is awaited makes one connection, and the awaited try is none', async () => {
  const { client, server, clock } = await connectedClient()
  server.link.cut()
  client.connection.connect()
  await server.flush()
  clock.advance(60_000)
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  expect(server.links).toHaveLength(2)
})
