import { publishDurable } from '@tutti/client/durable'
import { RealtimeError } from '@tutti/protocol'
import { seededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { codeOf, connectedClient, failNext, ownRequests, settled, startClient } from '../setup-client.ts'

test('[E11] events published offline are sent in order once there is a connection', async () => {
  const { client, server } = startClient({ autoConnect: false })
  const published = [1, 2, 3].map((data) => publishDurable(client, 'chat:a', data))
  client.connection.connect()
  await server.flush()
  expect(server.logs.data('chat:a')).toEqual([1, 2, 3])
  expect(await Promise.all(published)).toEqual(server.logs.offsets('chat:a'))
})

test('[E11] more than maxPendingChanges waiting events are refused with OVERFLOW', async () => {
  const { client, server } = startClient({ autoConnect: false, maxPendingChanges: 2 })
  void publishDurable(client, 'chat:a', 1)
  void publishDurable(client, 'chat:b', 2)
  expect(await codeOf(publishDurable(client, 'chat:b', 3))).toBe('OVERFLOW')
  client.connection.connect()
  await server.flush()
  expect([...server.logs.data('chat:a'), ...server.logs.data('chat:b')]).toEqual([1, 2])
  const later = publishDurable(client, 'chat:b', 3)
  await server.flush()
  await later
})

test('[E11] an event is repeated until it is acknowledged, in order', async () => {
  const { client, server, clock } = await connectedClient()
  failNext(
    server,
    'event:publish',
    new RealtimeError('BACKLOG_FULL', { retryAfterMs: 500 }),
    new RealtimeError('OUTCOME_UNKNOWN'),
    new RealtimeError('UNAVAILABLE'),
  )
  const published = [1, 2].map((data) => publishDurable(client, 'chat:a', data))
  for (let round = 0; round < 5; round += 1) {
    await server.flush()
    clock.advance(2_000)
  }
  await server.flush()
  await Promise.all(published)
  expect(server.logs.data('chat:a')).toEqual([1, 2])
  expect(new Set(server.logged('event:publish').map(({ id }) => id)).size).toBe(2)
  expect(await ownRequests({ server, clock })).toBe(0)
})

test('[E11] a refusal for good rejects its event, and the next one follows', async () => {
  const { client, server } = await connectedClient()
  failNext(server, 'event:publish', new RealtimeError('FORBIDDEN'))
  const refused = codeOf(publishDurable(client, 'chat:a', 1))
  const next = publishDurable(client, 'chat:a', 2)
  const plain = codeOf(publishDurable(client, 'plain', 3))
  await server.flush()
  expect([await refused, await plain]).toEqual(['FORBIDDEN', 'UNSUPPORTED'])
  await next
  expect(server.logs.data('chat:a')).toEqual([2])
})

test('[E11] close() rejects sent events with OUTCOME_UNKNOWN and the rest with CLOSED', async () => {
  const { client } = await connectedClient()
  const codes = [1, 2].map((data) => codeOf(publishDurable(client, 'chat:a', data)))
  await settled()
  await client.close()
  expect(await Promise.all(codes)).toEqual(['OUTCOME_UNKNOWN', 'CLOSED'])
  expect(await codeOf(publishDurable(client, 'chat:a', 3))).toBe('CLOSED')
})

test.each(Array.from({ length: 60 }, (_, seed) => seed + 1))('[E11] each event is appended once and in order (seed %i)', async (seed) => {
  const random = seededRandom(seed)
  const { client, server, clock } = startClient({ random: () => random.next() })
  const channels = ['chat:a', 'chat:b']
  const sent = new Map<string, number[]>(channels.map((channel) => [channel, []]))
  const published: Promise<unknown>[] = []
  server.judge = ({ name }) => {
    if (name !== 'event:publish' || random.below(5) > 0) return undefined
    return new RealtimeError(random.pick(['UNAVAILABLE', 'RATE_LIMITED'] as const))
  }
  const steps: Record<string, () => void> = {
    publish: () => {
      const channel = random.pick(channels)
      sent.get(channel)?.push(published.length)
      published.push(publishDurable(client, channel, published.length))
    },
    up: () => void server.openLinks.some((link) => server.deliverUp(link)),
    down: () => void server.openLinks.some((link) => server.deliverDown(link)),
    wait: () => clock.advance(random.below(3_000)),
    cut: () => server.openLinks.at(-1)?.cut(),
  }
  const names = ['publish', 'publish', 'up', 'up', 'up', 'down', 'down', 'down', 'wait', 'cut']
  for (let step = 0; step < 300; step += 1) {
    steps[random.pick(names)]?.()
    await settled()
  }
  server.judge = () => undefined
  for (let round = 0; round < 20; round += 1) {
    await server.flush()
    clock.advance(30_000)
  }
  await server.flush()
  await Promise.all(published)
  for (const channel of channels) expect(server.logs.data(channel)).toEqual(sent.get(channel))
})
