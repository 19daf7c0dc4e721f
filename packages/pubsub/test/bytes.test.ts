import { eventually, type TestRedis } from '@tutti/test-kit'
import type { RealtimePubSub } from '@tutti/pubsub'
import { expect, test } from 'vitest'
import { clientList, commandCalls, connect, observer, testRedis } from './setup.ts'

// Bytes on channels of other libraries, over the same two connections.

/** No valid UTF-8. */
const BYTES = Buffer.from([0, 0xff, 0xfe, 0x7b, 0x80])

/** The messages on a channel or a pattern, with their channels. */
async function record({ link }: RealtimePubSub, channel: string): Promise<[string, Buffer][]> {
  const received: [string, Buffer][] = []
  await link.subscribeBytes(channel, (message, on) => received.push([on, message])).ready
  return received
}

const connectTo = async (redis: TestRedis): Promise<RealtimePubSub> => {
  const { pubsub } = connect({ url: redis.url })
  await pubsub.link.ready
  return pubsub
}

test('[R4] the link passes bytes on unchanged, by channel and by its beginning', async () => {
  const redis = await testRedis()
  const [a, b] = [await connectTo(redis), await connectTo(redis)]
  const [one, below, texts] = [await record(b, 'io#/#'), await record(b, 'io#/[a]?#*'), [] as string[]]
  await b.link.subscribe('news', (text) => texts.push(text)).ready
  await a.link.publish('io#/#', BYTES)
  await a.link.publish('io#/[a]?#', 'text')
  await a.link.publish('io#/[a]?#room#', BYTES)
  await a.link.publish('io#/ab#room#', BYTES)
  await a.link.publish('news', 'last')
  await eventually(() => expect(texts).toEqual(['last']))
  expect(one).toEqual([['io#/#', BYTES]])
  expect(below).toEqual([
    ['io#/[a]?#', Buffer.from('text')],
    ['io#/[a]?#room#', BYTES],
  ])
  expect(await clientList(observer(redis))).toHaveLength(4)
})

test('[R4] subscriptions to bytes are made again with the others, and end', async () => {
  const redis = await testRedis()
  const [a, b] = [await connectTo(redis), await connectTo(redis)]
  const received: Buffer[] = []
  const undo = ['one', 'below:*'].map((channel) => b.link.subscribeBytes(channel, (message) => received.push(message)))
  await Promise.all(undo.map(({ ready }) => ready))
  expect(await a.link.countSubscribers('one')).toBe(1)
  const gaps = [a, b].map(({ link }) => new Promise<void>((resolve) => void link.onGap(resolve)))
  const inspecting = observer(redis)
  await inspecting.client('KILL', 'TYPE', 'pubsub')
  await inspecting.client('KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await Promise.all(gaps)
  await a.link.publish('one', BYTES)
  await a.link.publish('below:here', BYTES)
  await eventually(() => expect(received).toEqual([BYTES, BYTES]))
  for (const end of undo) end()
  await eventually(async () => expect(await a.link.countSubscribers('one')).toBe(0))
  expect(await inspecting.pubsub('NUMPAT')).toBe(0)
  expect((await commandCalls(inspecting))['punsubscribe']).toBe(1)
})
