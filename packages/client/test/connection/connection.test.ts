import { RealtimeError, type Requests } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { backoffMs } from '../../src/connection/backoff.ts'
import { ModelServer } from '../model-server.ts'
import { codeOf, connectedClient, settled, startClient } from '../setup-client.ts'

test('[C1] the first retry comes after 0 to 1 s, later ones back off up to 30 s', () => {
  const longest = () => 0.999_999
  expect([0, 1, 2, 3, 4, 5, 6, 60].map((retries) => Math.round(backoffMs(retries, longest)))).toEqual([
    1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ])
  expect(backoffMs(3, () => 0)).toBe(0)
  expect(backoffMs(3, () => 0.5)).toBe(4_000)
})

test("[C1] it connects at once, and is connected after the server's hello", async () => {
  const server = new ModelServer()
  server.greets = false
  const { client } = startClient({ auth: { token: 'secret' } }, server)
  const statuses: unknown[] = []
  client.connection.subscribe(({ status }) => statuses.push(status))
  expect(client.connection.current).toEqual({ status: 'connecting', attempt: 0, reason: undefined, instance: undefined, degraded: false })
  await server.flush()
  expect(client.connection.current.status).toBe('connecting')
  expect(server.link.handshake).toEqual({ token: 'secret', protocol: 1, clientId: client.clientId, features: [] })
  expect(client.clientId).toMatch(/^[\w-]{16,64}$/)
  server.greet(server.link)
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'connected', attempt: 0, instance: 'instance-1' })
  expect(statuses).toEqual(['connected'])
})

test('[C1] a lost connection is retried without end, and the attempt is reset to 0', async () => {
  const { client, server, clock } = await connectedClient()
  server.refuseLinks = new RealtimeError('UNAVAILABLE', { message: 'refused' })
  server.link.cut(new RealtimeError('UNAVAILABLE', { message: 'gone' }))
  const delays: unknown[] = []
  for (let attempt = 1; attempt <= 8; attempt++) {
    expect(client.connection.current).toMatchObject({ status: 'reconnecting', attempt, reason: { code: 'UNAVAILABLE' } })
    delays.push(clock.nextMs)
    clock.advance(clock.nextMs ?? 0)
    await server.flush()
  }
  expect(delays).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000])
  server.refuseLinks = undefined
  server.instance = 'instance-2'
  clock.advance(15_000)
  await server.flush()
  expect(client.connection.current).toEqual({ status: 'connected', attempt: 0, reason: undefined, instance: 'instance-2', degraded: false })
  server.link.cut()
  expect(clock.nextMs).toBe(500)
})

test('[C1] after maxAttempts it is closed, until connect() is called', async () => {
  const { client, server, clock } = await connectedClient({ maxAttempts: 2 })
  server.refuseLinks = new RealtimeError('UNAVAILABLE')
  server.link.cut()
  for (let attempt = 0; attempt < 2; attempt++) {
    clock.advance(30_000)
    await server.flush()
  }
  expect(client.connection.current).toMatchObject({ status: 'closed', attempt: 0, reason: { code: 'UNAVAILABLE' } })
  expect(clock.waiting).toBe(0)
  server.refuseLinks = undefined
  client.connection.connect()
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
})

test('[C1] a permanent refusal ends the attempts, with its reason', async () => {
  const server = new ModelServer()
  server.refuseLinks = new RealtimeError('PROTOCOL')
  const { client, clock } = startClient({}, server)
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'closed', reason: { code: 'PROTOCOL' } })
  expect(clock.waiting).toBe(0)
})

test('[C1] a hello of another protocol ends the attempts', async () => {
  const server = new ModelServer()
  server.greets = false
  const { client } = startClient({}, server)
  await settled()
  server.link.notify({ name: 'server:hello', payload: { protocol: 2, instance: 'x', limits: server.limits } })
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'closed', reason: { code: 'PROTOCOL' } })
})

test('[C1] a server that never sends its hello is left, and retried', async () => {
  const server = new ModelServer()
  server.greets = false
  const { client, clock } = startClient({ requestTimeoutMs: 3_000 }, server)
  await server.flush()
  clock.advance(3_000)
  expect(client.connection.current).toMatchObject({ status: 'reconnecting', attempt: 1 })
  expect(server.openLinks).toEqual([])
})

test('[C1] auth is called before each attempt; if it fails, the attempt fails', async () => {
  let tokens = 0
  const { client, server, clock } = await connectedClient({
    auth: async () => {
      tokens++
      if (tokens === 2) throw new Error('no token')
      return { token: `token ${tokens}` }
    },
  })
  expect(server.link.handshake).toMatchObject({ token: 'token 1' })
  server.link.cut()
  clock.advance(500)
  await server.flush()
  expect(client.connection.current).toMatchObject({ status: 'reconnecting', attempt: 2 })
  clock.advance(1_000)
  await server.flush()
  expect(server.link.handshake).toMatchObject({ token: 'token 3' })
})

test('[C1] the return of the network ends the delay between attempts', async () => {
  const { client, server, network } = await connectedClient()
  server.link.cut()
  expect(client.connection.current.status).toBe('reconnecting')
  network.turn(true)
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
})

test('[C1] the application can go offline and reconnect', async () => {
  const { client, server, network, clock } = await connectedClient()
  client.connection.disconnect()
  client.connection.disconnect()
  expect(client.connection.current).toMatchObject({ status: 'offline', reason: undefined })
  network.turn(true)
  clock.advance(60_000)
  await server.flush()
  expect(server.openLinks).toEqual([])
  client.connection.connect()
  client.connection.connect()
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  expect(server.links).toHaveLength(2)
})

test('[C1] a listener that disconnects ends the attempt that it was called for', async () => {
  const { client, server, clock } = await connectedClient()
  client.connection.subscribe(({ status }) => {
    if (status === 'reconnecting') client.connection.disconnect()
  })
  server.link.cut()
  expect(client.connection.current.status).toBe('offline')
  clock.advance(60_000)
  await server.flush()
  expect(server.openLinks).toEqual([])
  expect(clock.waiting).toBe(0)
})

test('[C5] a draining server is left after its delay, for another', async () => {
  const { client, server, clock } = await connectedClient()
  const first = server.link
  first.notify({ name: 'server:draining', payload: { reconnectAfterMs: 250 } })
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  clock.advance(250)
  expect(client.connection.current.status).toBe('reconnecting')
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  expect(first.open).toBe(false)
})

test('[S12] without a timely reply it reconnects and resends the numbered change', async () => {
  const { client, server, clock } = await connectedClient({ requestTimeoutMs: 4_000 })
  const handle = client.state('count', { default: 0 })
  await server.flush()
  const done = handle.increment()
  const [stuck] = server.link.up
  server.link.up.length = 0
  clock.advance(3_999)
  expect(client.connection.current.status).toBe('connected')
  clock.advance(1)
  expect(client.connection.current).toMatchObject({ status: 'reconnecting', reason: { code: 'UNAVAILABLE' } })
  expect(handle.current).toMatchObject({ value: 1, pending: true })
  clock.advance(500)
  await server.flush()
  await done
  expect(stuck?.request.payload).toEqual(server.logged('storage:increment')[0])
})

test('[C2] after a reconnect, sent changes precede one request for all known keys', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('a', 1)
  server.write('b', 2)
  const [a, b, never] = [client.state<number>('a'), client.state<number>('b'), client.state<number>('never')]
  await server.flush()
  server.link.cut()
  server.write('b', 3)
  void a.set(10)
  server.log.length = 0
  clock.advance(1_000)
  await server.flush()
  // An entry that is requested after a change never contains it unconfirmed.
  expect(server.log[1]).toEqual({
    name: 'storage:subscribe',
    payload: {
      keys: [
        { key: 'a', version: 1 },
        { key: 'b', version: 2 },
        { key: 'never', version: 0 },
      ],
    },
  })
  expect(server.log.map(({ name }) => name)).toEqual(['storage:set', 'storage:subscribe'])
  expect([a.current.value, b.current.value, never.current.value]).toEqual([10, 3, undefined])
})

const keysOf = (message: Requests['storage:subscribe']['payload']) => ('keys' in message ? message.keys : [])

test('[C2] keys beyond the limit of a message are split into as few as possible', async () => {
  const server = new ModelServer()
  server.limits = { ...server.limits, maxKeysPerMessage: 100 }
  const { client } = await connectedClient({}, server)
  for (let key = 0; key < 250; key++) client.state(`key${key}`)
  await server.flush()
  expect(server.logged('storage:subscribe').map((message) => keysOf(message).length)).toEqual([100, 100, 50])
  server.limits = { ...server.limits, maxKeysPerMessage: 1_000, maxPayloadBytes: 2_000 }
  client.connection.disconnect()
  client.connection.connect()
  server.log.length = 0
  await server.flush()
  const messages = server.logged('storage:subscribe')
  expect(messages.flatMap(keysOf)).toHaveLength(250)
  for (const message of messages) expect(JSON.stringify(message).length).toBeLessThan(2_000)
  expect(messages.map((message) => keysOf(message).length)).toEqual([62, 61, 60, 60, 7])
})

test('[S3] the entry of a subscription replaces a newer version lost by the store', async () => {
  const { client, server } = await connectedClient()
  server.write('key', 'lost', 100)
  const handle = client.state('key')
  await server.flush()
  client.connection.disconnect()
  server.entries.set('key', { key: 'key', version: 50, value: 'kept' })
  client.connection.connect()
  await server.flush()
  expect(handle.current).toMatchObject({ value: 'kept', version: 50 })
})

test('[S13] close() sends waiting changes, awaits them, and leaves no timer', async () => {
  const { client, server, clock } = await connectedClient()
  const debounced = client.state('a', { default: '', strategy: 'debounced' })
  const manual = client.state('b', { default: '', strategy: 'manual' })
  await server.flush()
  const changes = [debounced.set('x'), manual.set('y')]
  const closed = client.close()
  expect(client.close()).toBe(closed)
  await server.flush()
  await Promise.all([...changes, closed])
  expect([server.value('a'), server.value('b')]).toEqual(['x', 'y'])
  expect(clock.waiting).toBe(0)
  expect(server.openLinks).toEqual([])
  expect(client.connection.current).toMatchObject({ status: 'closed', reason: undefined })
  client.connection.connect()
  expect(client.connection.current.status).toBe('closed')
  expect(() => client.state('a')).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  expect(() => client.events.subscribe('a', () => {})).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  expect(await codeOf(client.events.publish('a', 1))).toBe('CLOSED')
  expect(await codeOf(manual.set('z'))).toBe('CLOSED')
})

test('[S13] close() while offline is immediate: CLOSED, or OUTCOME_UNKNOWN if sent', async () => {
  const { client, server, clock, network } = await connectedClient()
  const [sent, unsent] = [client.state('a', { default: 0 }), client.state('b', { default: 0 })]
  await server.flush()
  const first = sent.set(1)
  client.connection.disconnect()
  const second = unsent.set(1)
  await client.close()
  expect(await codeOf(first)).toBe('OUTCOME_UNKNOWN')
  expect(await codeOf(second)).toBe('CLOSED')
  expect(clock.waiting).toBe(0)
  expect(network.listeners.size).toBe(0)
})

test('[S13] close() waits for a silent server no longer than requestTimeoutMs', async () => {
  const { client, server, clock } = await connectedClient({ requestTimeoutMs: 1_000 })
  const handle = client.state('a', { default: 0 })
  await server.flush()
  const change = handle.set(1)
  const closed = client.close()
  clock.advance(1_000)
  await closed
  expect(await codeOf(change)).toBe('OUTCOME_UNKNOWN')
  expect(clock.waiting).toBe(0)
})

test('[C1] one timer limits all requests: the oldest one ends the connection on time', async () => {
  const { client, server, clock } = await connectedClient({ requestTimeoutMs: 10_000 })
  const request = (key: string) => codeOf(client.state(key).refresh())
  const first = request('a')
  clock.advance(6_000)
  await server.flush()
  expect([await first, clock.waiting]).toEqual(['no error', 1])
  const second = request('b')
  clock.advance(3_000)
  const third = request('c')
  expect(clock.waiting).toBe(1)
  // The time of the first one ends: the second is now the oldest.
  clock.advance(6_999)
  expect(client.connection.current.status).toBe('connected')
  clock.advance(1)
  expect(client.connection.current).toMatchObject({ status: 'reconnecting', reason: { code: 'UNAVAILABLE' } })
  expect([await second, await third]).toEqual(['OUTCOME_UNKNOWN', 'OUTCOME_UNKNOWN'])
})

test('[X5] a payload may have the size of the limit, minus 128 bytes for its frame', async () => {
  const server = new ModelServer()
  server.limits = { ...server.limits, maxPayloadBytes: 1_000 }
  const { client } = await connectedClient({}, server)
  const around = JSON.stringify({ channel: 'chat', data: '' }).length
  const publish = async (bytes: number): Promise<unknown> => {
    const outcome = codeOf(client.events.publish('chat', 'a'.repeat(bytes - around)))
    await server.flush()
    return outcome
  }
  expect([await publish(1_000 - 128), await publish(1_000 - 127)]).toEqual(['no error', 'TOO_LARGE'])
})
