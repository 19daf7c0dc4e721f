import { MemoryPubSub } from '@tutti/pubsub'
import { eventually } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeOf, serve, type Served } from './serve.ts'

let served: Served

beforeAll(async () => {
  served = await serve()
})

afterAll(() => served.close())

test('[E1] an event reaches each subscriber once, even if several patterns match', async () => {
  const [publisher, subscriber] = await Promise.all([served.connect(), served.connect()])
  for (const channel of ['a:b:c', 'a:*', 'a:b:*', '*']) await subscriber.request('event:subscribe', { channel })
  await publisher.request('event:publish', { channel: 'a:b:c', data: { n: 1 } })
  await publisher.request('event:publish', { channel: 'other', data: null })
  await eventually(() => expect(subscriber.of('event:received')).toHaveLength(2))
  expect(subscriber.of('event:received')).toEqual([
    { channel: 'a:b:c', data: { n: 1 } },
    { channel: 'other', data: null },
  ])
})

test('[E1] a publish whose relay failed reached its own instance: RELAY_FAILED', async () => {
  const pubsub = new MemoryPubSub()
  const lonely = await serve({ pubsub })
  const [publisher, subscriber] = await Promise.all([lonely.connect(), lonely.connect()])
  await subscriber.request('event:subscribe', { channel: 'c' })
  await pubsub.dispose()
  const reply = await publisher.send('event:publish', { channel: 'c', data: 1 })
  expect(codeOf(reply)).toBe('RELAY_FAILED')
  expect(reply).toMatchObject({ error: { retryable: false } })
  await eventually(() => expect(subscriber.of('event:received')).toEqual([{ channel: 'c', data: 1 }]))
  await lonely.close()
})

test('[E2] includeSelf decides only about the publishing connection', async () => {
  const [publisher, subscriber] = await Promise.all([served.connect(), served.connect()])
  for (const client of [publisher, subscriber]) await client.request('event:subscribe', { channel: 'self' })
  await publisher.request('event:publish', { channel: 'self', data: 'others' })
  await publisher.request('event:publish', { channel: 'self', data: 'all', includeSelf: true })
  await eventually(() => expect(subscriber.of('event:received')).toHaveLength(2))
  expect(publisher.of('event:received')).toEqual([{ channel: 'self', data: 'all' }])
  expect(subscriber.of('event:received')).toEqual([
    { channel: 'self', data: 'others' },
    { channel: 'self', data: 'all' },
  ])
})

test('[E3] a pattern matches names below it at any depth, not its own name', async () => {
  const [publisher, subscriber] = await Promise.all([served.connect(), served.connect()])
  const heard: string[] = []
  const undo = served.realtime.events.subscribe('chat:*', ({ channel }) => heard.push(channel))
  await subscriber.request('event:subscribe', { channel: 'chat:*' })
  for (const channel of ['chat', 'chatter', 'chat:1', 'chat:1:2', 'chats:1']) await publisher.request('event:publish', { channel, data: 0 })
  const expected = ['chat:1', 'chat:1:2']
  await eventually(() => expect(subscriber.of('event:received')).toHaveLength(2))
  expect(subscriber.of('event:received')).toEqual(expected.map((channel) => ({ channel, data: 0 })))
  expect(heard).toEqual(expected)
  undo()
  await publisher.request('event:publish', { channel: 'chat:3', data: 0 })
  expect(heard).toEqual(expected)
  expect(() => served.realtime.events.subscribe('a*', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_CHANNEL' }))
  await expect(served.realtime.events.publish('a:*', 1)).rejects.toMatchObject({ code: 'INVALID_CHANNEL' })
})

test('[E4] events of one publisher on one channel arrive in the order published', async () => {
  const [publisher, subscriber] = await Promise.all([served.connect(), served.connect()])
  await subscriber.request('event:subscribe', { channel: 'order' })
  await Promise.all(Array.from({ length: 200 }, (_, data) => publisher.request('event:publish', { channel: 'order', data })))
  await eventually(() => expect(subscriber.of('event:received')).toHaveLength(200))
  expect(subscriber.of('event:received')).toEqual(Array.from({ length: 200 }, (_, data) => ({ channel: 'order', data })))
})

test('[E3] after unsubscribing from a pattern nothing of it arrives', async () => {
  const [publisher, subscriber] = await Promise.all([served.connect(), served.connect()])
  await subscriber.request('event:subscribe', { channel: 'gone:*' })
  await subscriber.request('event:subscribe', { channel: 'stays' })
  await subscriber.request('event:unsubscribe', { channel: 'gone:*' })
  await publisher.request('event:publish', { channel: 'gone:1', data: 1 })
  await publisher.request('event:publish', { channel: 'stays', data: 2 })
  await eventually(() => expect(subscriber.of('event:received')).toEqual([{ channel: 'stays', data: 2 }]))
})

test('[E1] a listener of server code that throws stops no other, and is reported', async () => {
  const errors: unknown[] = []
  const server = await serve({ onError: (error, context) => errors.push([error, context]) })
  const heard: unknown[] = []
  server.realtime.events.subscribe('c', () => {
    throw new Error('on purpose')
  })
  server.realtime.events.subscribe('c', ({ data }) => heard.push(data))
  await server.realtime.events.publish('c', 1)
  expect(heard).toEqual([1])
  expect(errors).toEqual([[new Error('on purpose'), { stage: 'listener', subject: 'c' }]])
  await server.close()
})
