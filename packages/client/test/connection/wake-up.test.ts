import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { ModelServer } from '../model-server.ts'
import { connectedClient, settled, startClient } from '../setup-client.ts'

const refusal = new RealtimeError('UNAVAILABLE', { message: 'refused' })
const probes = ({ log }: ModelServer): unknown[] => log.filter(({ name }) => name === 'storage:unsubscribe').map(({ payload }) => payload)

test('[C6] a wake-up ends the longest delay between attempts', async () => {
  const { client, server, clock, network } = await connectedClient()
  server.refuseLinks = refusal
  server.link.cut()
  for (let attempt = 1; attempt <= 8; attempt++) {
    clock.advance(clock.nextMs ?? 0)
    await server.flush()
  }
  expect(clock.nextMs).toBe(15_000)
  server.refuseLinks = undefined
  network.wake()
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
})

test('[C6] a connection that is silent for probeTimeoutMs after a wake-up is replaced', async () => {
  const { client, server, clock, network } = await connectedClient()
  const handle = client.state('count')
  server.write('count', 1)
  await server.flush()
  const silent = server.link
  network.wake()
  silent.up.length = 0
  server.write('count', 2)
  silent.down.length = 0
  clock.advance(2_999)
  expect(client.connection.current.status).toBe('connected')
  clock.advance(1)
  expect(client.connection.current).toMatchObject({ status: 'reconnecting', reason: { code: 'UNAVAILABLE' } })
  await server.flush()
  expect([client.connection.current.status, handle.current.value, silent.open]).toEqual(['connected', 2, false])
})

test('[C6] probeTimeoutMs can be set', async () => {
  const { client, server, clock, network } = await connectedClient({ probeTimeoutMs: 500 })
  network.wake()
  server.link.up.length = 0
  clock.advance(500)
  expect(client.connection.current.status).toBe('reconnecting')
})

test.each(['a reply', 'a notice'])('[C6] %s within probeTimeoutMs keeps the connection', async (message) => {
  const { client, server, clock, network } = await connectedClient()
  network.wake()
  if (message === 'a notice') {
    server.link.up.length = 0
    server.link.notify({ name: 'server:status', payload: { degraded: true } })
  }
  clock.advance(2_999)
  await server.flush()
  clock.advance(5_000)
  expect(client.connection.current.status).toBe('connected')
  expect(server.links).toHaveLength(1)
})

test('[C6] the reply to an earlier request keeps the connection', async () => {
  const { client, server, clock, network } = await connectedClient()
  void client.events.publish('chat', 1)
  network.wake()
  server.link.up.length = 1
  await server.flush()
  clock.advance(5_000)
  expect(client.connection.current.status).toBe('connected')
})

test('[C6] there is one probe at a time', async () => {
  const { server, network } = await connectedClient()
  for (let wakes = 0; wakes < 3; wakes++) network.wake()
  await server.flush()
  expect(probes(server)).toEqual([{ keys: [] }])
  network.wake()
  await server.flush()
  expect(probes(server)).toHaveLength(2)
})

test('[C6] a probe ends with its connection and does not affect the next one', async () => {
  const { client, server, clock, network } = await connectedClient()
  network.wake()
  server.link.cut()
  clock.advance(500)
  await server.flush()
  const [links, shown] = [server.links.length, client.connection.current]
  clock.advance(9_000)
  expect([server.links.length, client.connection.current]).toEqual([links, shown])
})

test('[C6] a wake-up replaces an attempt older than probeTimeoutMs, no younger one', async () => {
  const server = new ModelServer()
  server.greets = false
  const { client, clock, network } = startClient({}, server)
  await server.flush()
  clock.advance(2_999)
  network.wake()
  await server.flush()
  expect(server.links).toHaveLength(1)
  clock.advance(1)
  server.greets = true
  network.wake()
  await server.flush()
  expect(server.links.map(({ open }) => open)).toEqual([false, true])
  expect(client.connection.current.status).toBe('connected')
})

test('[X5] a wake-up does not shorten a delay that the server requested', async () => {
  const { client, server, clock, network } = await connectedClient()
  server.link.cut(new RealtimeError('RATE_LIMITED', { retryAfterMs: 7_000 }))
  clock.advance(6_999)
  network.wake()
  await server.flush()
  expect(server.links).toHaveLength(1)
  expect(client.connection.current).toMatchObject({ status: 'reconnecting', reason: { code: 'RATE_LIMITED' } })
  clock.advance(1)
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
})

test('[C6] the client watches for wake-ups only while it is connected or tries to be', async () => {
  const { client, server, clock, network } = startClient({ autoConnect: false })
  const watching = (): number => network.listeners.size
  expect(watching()).toBe(0)
  client.connection.connect()
  await server.flush()
  expect(watching()).toBe(1)
  client.connection.disconnect()
  expect(watching()).toBe(0)
  client.connection.connect()
  await server.flush()
  server.link.cut(new RealtimeError('PROTOCOL'))
  expect(watching()).toBe(0)
  client.connection.connect()
  await server.flush()
  network.wake()
  await client.close()
  expect([watching(), clock.waiting]).toEqual([0, 0])
})

test('[C1] with autoConnect: false nothing is connected before connect()', async () => {
  const { client, server, clock, network } = startClient({ autoConnect: false })
  network.turn(true)
  clock.advance(60_000)
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'offline', reason: undefined })
  expect([server.links.length, clock.waiting]).toEqual([0, 0])
  client.connection.connect()
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
})

test('[C1] an undefined autoConnect counts as absent', async () => {
  const undefinedOption: object = { autoConnect: undefined }
  expect((await connectedClient(undefinedOption)).client.connection.current.status).toBe('connected')
})

test('[C1] without a network it retries at the longest back-off, and then at once', async () => {
  const { client, server, clock, network } = await connectedClient()
  network.up = false
  server.refuseLinks = refusal
  server.link.cut()
  for (let tries = 1; tries <= 3; tries++) {
    expect(client.connection.current).toMatchObject({ status: 'offline', attempt: 0, reason: { code: 'UNAVAILABLE' } })
    expect(clock.nextMs).toBe(15_000)
    clock.advance(15_000)
    expect(client.connection.current.status).toBe('offline')
    await server.flush()
    expect(server.links).toHaveLength(1 + tries)
  }
  server.refuseLinks = undefined
  network.turn(true)
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
})

test('[C1] connects to a reachable server while the machine reports offline', async () => {
  const server = new ModelServer()
  const started = startClient({ network: { online: () => false, onChange: () => () => {} } }, server)
  expect(started.client.connection.current).toMatchObject({ status: 'offline', attempt: 0 })
  await server.flush()
  expect(started.client.connection.current).toMatchObject({ status: 'connected', reason: undefined })
})

test('[C1] an `offline` event probes the connection and keeps it when it works', async () => {
  const { client, server, clock, network } = await connectedClient()
  network.turn(false)
  expect(client.connection.current.status).toBe('connected')
  await server.flush()
  expect(probes(server)).toHaveLength(1)
  clock.advance(60_000)
  expect(client.connection.current.status).toBe('connected')
  network.turn(false)
  server.link.up.length = 0
  clock.advance(3_000)
  expect(client.connection.current.status).toBe('offline')
})

test('[C1] attempts without a network do not count towards maxAttempts', async () => {
  const { client, server, clock, network } = await connectedClient({ maxAttempts: 1 })
  network.up = false
  server.refuseLinks = refusal
  server.link.cut()
  for (let tries = 0; tries < 5; tries++) {
    clock.advance(30_000)
    await server.flush()
  }
  expect(client.connection.current.status).toBe('offline')
  network.turn(true)
  await settled()
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'reconnecting', attempt: 1 })
  clock.advance(30_000)
  await server.flush()
  expect(client.connection.current.status).toBe('closed')
})

test('[C1] the status follows the network during an attempt', async () => {
  const server = new ModelServer()
  server.greets = false
  const { client, network } = startClient({}, server)
  const statuses: string[] = []
  client.connection.subscribe(({ status }) => statuses.push(status))
  for (const up of [false, false, true, true]) network.turn(up)
  await settled()
  expect(statuses).toEqual(['offline', 'connecting'])
  expect(client.connection.current.reason).toBeUndefined()
})
