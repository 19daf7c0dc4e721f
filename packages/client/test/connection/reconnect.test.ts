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

test('[C1] there are maxAttempts consecutive attempts, and again after connect()', async () => {
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

test('[C1] after a failed first attempt, or disconnect(), it is reconnecting', async () => {
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

test('[C1] the error of `auth` decides whether the attempt is repeated', async () => {
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

test('[X5] no attempt is made before the time that the server requested', async () => {
  const started = await connectedClient()
  started.server.link.cut(new RealtimeError('RATE_LIMITED', { retryAfterMs: 7_000 }))
  expect(started.clock.nextMs).toBe(7_000)
})

test('[C1] connect() does not replace an open or opening connection', async () => {
  const { client, server } = startClient()
  client.connection.connect()
  await server.flush()
  client.connection.connect()
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  expect(server.links).toHaveLength(1)
})

test("[C1] after disconnect() the network's return does not connect, connect() does", async () => {
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

test('[C1] a repeated network event does not restart the attempt', async () => {
  const { server, network } = await connectedClient()
  network.turn(true)
  await server.flush()
  expect(server.links).toHaveLength(1)
})

test('[S13] a closed client stays closed, regardless of later events', async () => {
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

test('[C5] of two delays of a draining server the last counts', async () => {
  const { client, server, clock } = await connectedClient()
  for (const reconnectAfterMs of [250, 1_000]) server.link.notify({ name: 'server:draining', payload: { reconnectAfterMs } })
  await server.flush()
  clock.advance(999)
  expect(client.connection.current.status).toBe('connected')
  clock.advance(1)
  expect(client.connection.current.status).toBe('reconnecting')
})

test('[C2] a second hello on one connection repeats no request', async () => {
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

test('[C1] a client closed by a refusal stays closed when the network returns', async () => {
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

test('[C1] `auth` cannot override the protocol and the client ID', async () => {
  const { client, server } = await connectedClient({ auth: { token: 't', protocol: 9, clientId: 'other', features: ['x'] } })
  expect(server.link.handshake).toEqual({ token: 't', protocol: 1, clientId: client.clientId, features: [] })
})

test('[S12] a reply that arrives after its connection was abandoned is ignored', async () => {
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

test('[C1] connect() during a delay replaces the planned attempt', async () => {
  const { client, server, clock } = await connectedClient()
  server.link.cut()
  client.connection.connect()
  await server.flush()
  clock.advance(60_000)
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  expect(server.links).toHaveLength(2)
})
