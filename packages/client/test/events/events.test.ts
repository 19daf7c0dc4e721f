import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { codeOf, connectedClient } from '../setup-client.ts'

test('[E1] [E2] [E3] an event reaches every matching listener once; includeSelf decides for the publisher', async () => {
  const { client, server } = await connectedClient()
  const other = await connectedClient({}, server)
  const heard: unknown[] = []
  client.events.subscribe('*', (data, { channel }) => heard.push(['*', channel, data]))
  client.events.subscribe('chat:*', (data) => heard.push(['chat:*', data]))
  client.events.subscribe('chat:room1', (data) => heard.push(['chat:room1', data]))
  client.events.subscribe('chat', (data) => heard.push(['chat', data]))
  await server.flush()
  const published = other.client.events.publish('chat:room1', { text: 'hi' })
  await server.flush()
  await published
  expect(heard).toEqual([
    ['*', 'chat:room1', { text: 'hi' }],
    ['chat:*', { text: 'hi' }],
    ['chat:room1', { text: 'hi' }],
  ])
  heard.length = 0
  void client.events.publish('chat', 1)
  await server.flush()
  expect(heard).toEqual([])
  void client.events.publish('chat', 2, { includeSelf: true })
  await server.flush()
  expect(heard).toEqual([
    ['*', 'chat', 2],
    ['chat', 2],
  ])
})

test('[E5] many listeners of one pattern are one subscription on the server, which outlives reconnects', async () => {
  const { client, server, clock } = await connectedClient()
  const heard: unknown[] = []
  const listener = (data: unknown) => heard.push(data)
  const undos = [client.events.subscribe('chat:*', listener), client.events.subscribe('chat:*', listener)]
  await server.flush()
  expect(server.logged('event:subscribe')).toEqual([{ channel: 'chat:*' }])
  server.link.cut()
  clock.advance(1_000)
  await server.flush()
  expect([...server.link.channels]).toEqual(['chat:*'])
  undos[0]?.()
  undos[0]?.()
  server.link.tell({ name: 'event:received', payload: { channel: 'chat:a', data: 1 } })
  await server.flush()
  expect(heard).toEqual([1])
  undos[1]?.()
  await server.flush()
  expect([...server.link.channels]).toEqual([])
  server.link.tell({ name: 'event:received', payload: { channel: 'chat:a', data: 2 } })
  await server.flush()
  expect(heard).toEqual([1])
})

test('[E1] events are not queued: without a connection publish rejects with UNAVAILABLE', async () => {
  const { client, server } = await connectedClient()
  const lost = client.events.publish('chat', 1)
  server.link.cut()
  expect(await codeOf(lost)).toBe('OUTCOME_UNKNOWN')
  expect(await codeOf(client.events.publish('chat', 1))).toBe('UNAVAILABLE')
})

test('[E3] misuse: a pattern cannot be published on, names and data are checked', async () => {
  const { client, server } = await connectedClient()
  expect(() => client.events.subscribe('a*b', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_CHANNEL' }))
  expect(await codeOf(client.events.publish('chat:*', 1))).toBe('INVALID_CHANNEL')
  expect(await codeOf(client.events.publish('chat', undefined))).toBe('INVALID_VALUE')
  await server.flush()
  expect(server.log).toEqual([])
})

test('[E5] a refused subscription is reported; one that fails for now is tried again', async () => {
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

test('[E1] a listener that throws stops no other', async () => {
  const { client, server, errors } = await connectedClient()
  const heard: unknown[] = []
  const mistake = new Error('listener')
  client.events.subscribe('chat', () => {
    throw mistake
  })
  client.events.subscribe('chat', (data) => heard.push(data))
  server.link.tell({ name: 'event:received', payload: { channel: 'chat', data: 'x' } })
  await server.flush()
  expect(heard).toEqual(['x'])
  expect(errors).toEqual([mistake])
})

test('[E1] a listener that subscribes another does not make it hear the same event', async () => {
  const { client, server } = await connectedClient()
  const heard: unknown[] = []
  client.events.subscribe('chat', (data) => {
    heard.push(['first', data])
    if (data === 1) client.events.subscribe('chat', (again) => heard.push(['added', again]))
  })
  for (const data of [1, 2]) server.link.tell({ name: 'event:received', payload: { channel: 'chat', data } })
  await server.flush()
  expect(heard).toEqual([
    ['first', 1],
    ['first', 2],
    ['added', 2],
  ])
})

test('[E2] who subscribes and publishes in the same turn hears the event', async () => {
  const { client, server } = await connectedClient()
  const heard: unknown[] = []
  client.events.subscribe('chat', (data) => heard.push(data))
  void client.events.publish('chat', 1, { includeSelf: true })
  await server.flush()
  expect(heard).toEqual([1])
  expect(server.logged('event:subscribe')).toHaveLength(1)
})
