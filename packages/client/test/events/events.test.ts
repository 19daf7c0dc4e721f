import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { codeOf, connectedClient } from '../setup-client.ts'

test('[E1] [E2] [E3] an event reaches each listener once; includeSelf adds its sender', async () => {
  const { client, server } = await connectedClient()
  const other = await connectedClient({}, server)
  const received: unknown[] = []
  client.events.subscribe('*', (data, { channel }) => received.push(['*', channel, data]))
  client.events.subscribe('chat:*', (data) => received.push(['chat:*', data]))
  client.events.subscribe('chat:room1', (data) => received.push(['chat:room1', data]))
  client.events.subscribe('chat', (data) => received.push(['chat', data]))
  await server.flush()
  const published = other.client.events.publish('chat:room1', { text: 'hi' })
  await server.flush()
  await published
  expect(received).toEqual([
    ['*', 'chat:room1', { text: 'hi' }],
    ['chat:*', { text: 'hi' }],
    ['chat:room1', { text: 'hi' }],
  ])
  received.length = 0
  void client.events.publish('chat', 1)
  await server.flush()
  expect(received).toEqual([])
  void client.events.publish('chat', 2, { includeSelf: true })
  await server.flush()
  expect(received).toEqual([
    ['*', 'chat', 2],
    ['chat', 2],
  ])
})

test('[E5] listeners of one pattern share a subscription, which survives reconnects', async () => {
  const { client, server, clock } = await connectedClient()
  const received: unknown[] = []
  const listener = (data: unknown) => received.push(data)
  const undos = [client.events.subscribe('chat:*', listener), client.events.subscribe('chat:*', listener)]
  await server.flush()
  expect(server.logged('event:subscribe')).toEqual([{ channel: 'chat:*' }])
  server.link.cut()
  clock.advance(1_000)
  await server.flush()
  expect([...server.link.channels]).toEqual(['chat:*'])
  undos[0]?.()
  undos[0]?.()
  server.link.notify({ name: 'event:received', payload: { channel: 'chat:a', data: 1 } })
  await server.flush()
  expect(received).toEqual([1])
  undos[1]?.()
  await server.flush()
  expect([...server.link.channels]).toEqual([])
  server.link.notify({ name: 'event:received', payload: { channel: 'chat:a', data: 2 } })
  await server.flush()
  expect(received).toEqual([1])
})

test('[E1] events are not queued: without a connection publish is UNAVAILABLE', async () => {
  const { client, server } = await connectedClient()
  const lost = client.events.publish('chat', 1)
  server.link.cut()
  expect(await codeOf(lost)).toBe('OUTCOME_UNKNOWN')
  expect(await codeOf(client.events.publish('chat', 1))).toBe('UNAVAILABLE')
})

test('[E3] patterns cannot be published on, and names and data are checked', async () => {
  const { client, server } = await connectedClient()
  expect(() => client.events.subscribe('a*b', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_CHANNEL' }))
  expect(await codeOf(client.events.publish('chat:*', 1))).toBe('INVALID_CHANNEL')
  expect(await codeOf(client.events.publish('chat', undefined))).toBe('INVALID_VALUE')
  await server.flush()
  expect(server.log).toEqual([])
})

test('[E5] a refused subscription is reported; a temporary failure is retried', async () => {
  const { client, server, clock, errors } = await connectedClient()
  let failures = 1
  server.judge = ({ name, payload }) => {
    if (name !== 'event:subscribe') return undefined
    if (payload.channel === 'bad') return new RealtimeError('TOO_MANY_SUBSCRIPTIONS')
    return failures-- > 0 ? new RealtimeError('UNAVAILABLE') : undefined
  }
  client.events.subscribe('good', () => {})
  client.events.subscribe('bad', () => {})
  await server.flush()
  clock.advance(1_000)
  await server.flush()
  expect([...server.link.channels]).toEqual(['good'])
  expect(errors).toMatchObject([{ code: 'TOO_MANY_SUBSCRIPTIONS' }])
})

test('[E1] a listener that throws does not stop the others', async () => {
  const { client, server, errors } = await connectedClient()
  const received: unknown[] = []
  const mistake = new Error('listener')
  client.events.subscribe('chat', () => {
    throw mistake
  })
  client.events.subscribe('chat', (data) => received.push(data))
  server.link.notify({ name: 'event:received', payload: { channel: 'chat', data: 'x' } })
  await server.flush()
  expect(received).toEqual(['x'])
  expect(errors).toEqual([mistake])
})

test('[E1] a listener added by a listener does not receive the same event', async () => {
  const { client, server } = await connectedClient()
  const received: unknown[] = []
  client.events.subscribe('chat', (data) => {
    received.push(['first', data])
    if (data === 1) client.events.subscribe('chat', (again) => received.push(['added', again]))
  })
  for (const data of [1, 2]) server.link.notify({ name: 'event:received', payload: { channel: 'chat', data } })
  await server.flush()
  expect(received).toEqual([
    ['first', 1],
    ['first', 2],
    ['added', 2],
  ])
})

test('[E2] a client that subscribes and publishes in one turn receives the event', async () => {
  const { client, server } = await connectedClient()
  const received: unknown[] = []
  client.events.subscribe('chat', (data) => received.push(data))
  void client.events.publish('chat', 1, { includeSelf: true })
  await server.flush()
  expect(received).toEqual([1])
  expect(server.logged('event:subscribe')).toHaveLength(1)
})
