import { once } from 'node:events'
import { eventually } from '@tutti/test-kit'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { expect, onTestFinished, test } from 'vitest'
import { createMessageReader, readMessages } from '../src/redis/message-reader.ts'
import { observer, testRedis } from './setup.ts'

// Messages are read from the bytes of a connection, and everything else is left to ioredis.

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`

const text = fc.string({ unit: 'binary', maxLength: 40 })
const ofChannel = (channel: string) =>
  fc.tuple(fc.constantFrom('*', '>'), text).map(([type, content]) => ({
    bytes: `${type}3\r\n${bulk('message')}${bulk(channel)}${bulk(content)}`,
    event: channel === 'other' ? undefined : `${channel} ${content.toWellFormed()}`,
  }))
const other = fc
  .constantFrom(
    '+OK\r\n',
    '-ERR no\r\n',
    ':-12\r\n',
    '$-1\r\n',
    '*-1\r\n',
    '*0\r\n',
    '_\r\n',
    '#t\r\n',
    `%1\r\n${bulk('timeout')}:0\r\n`,
    `*3\r\n${bulk('subscribe')}${bulk('news')}:1\r\n`,
    `*4\r\n${bulk('pmessage')}${bulk('n*')}${bulk('news')}${bulk('x')}`,
    `*2\r\n*2\r\n${bulk('message')}:1\r\n${bulk('')}`,
  )
  .map((bytes) => ({ bytes, event: undefined }))
const replies = fc.array(fc.oneof(ofChannel('news'), ofChannel('ü:é'), ofChannel('other'), other), { maxLength: 12 })

/** What becomes of the bytes: messages as they are received, other bytes as they are forwarded. */
function readIn(chunks: readonly Buffer[]): string[] {
  const events: string[] = []
  const read = createMessageReader(
    (channel, content) => channel !== 'other' && events.push(`${channel} ${content}`) > 0,
    (bytes) => {
      const last = events.at(-1)
      if (last?.startsWith('= ')) events[events.length - 1] = last + bytes.toString('hex')
      else events.push(`= ${bytes.toString('hex')}`)
    },
  )
  for (const chunk of chunks) read(chunk)
  return events
}

test('[N3] messages are read in their order, in chunks of any size', () => {
  fc.assert(
    fc.property(replies, fc.array(fc.nat(), { maxLength: 12 }), (sent, cuts) => {
      const bytes = Buffer.from(sent.map((reply) => reply.bytes).join(''))
      const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b)
      const chunks = [0, ...places].map((place, index) => bytes.subarray(place, places[index] ?? bytes.length))
      const expected: string[] = []
      for (const reply of sent) {
        const last = expected.at(-1)
        const hex = Buffer.from(reply.bytes).toString('hex')
        if (reply.event !== undefined) expected.push(reply.event)
        else if (last?.startsWith('= ')) expected[expected.length - 1] = last + hex
        else expected.push(`= ${hex}`)
      }
      expect(readIn(chunks)).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('[N3] after a reply of an unknown type, ioredis reads everything', () => {
  const message = `*3\r\n${bulk('message')}${bulk('news')}${bulk('x')}`
  expect(readIn([Buffer.from(`${message}~`), Buffer.from(`1\r\n?4\r\n${message}`), Buffer.from(message)])).toEqual([
    'news x',
    `= ${Buffer.from(`~1\r\n?4\r\n${message}${message}`).toString('hex')}`,
  ])
})

test.each([false, true])('[N3] ioredis delivers messages only if its stream has another listener: %s', async (hasOther) => {
  const redis = await testRedis()
  const client = new Redis(redis.url, { lazyConnect: true })
  onTestFinished(() => client.disconnect())
  if (hasOther) client.on('connect', () => client.stream.on('data', () => {}))
  const [direct, throughIoredis]: [string[], string[]] = [[], []]
  const end = readMessages(client, (channel, content) => direct.push(`${channel} ${content}`) > 0)
  client.on('message', (channel, content) => throughIoredis.push(`${channel} ${content}`))
  const publish = async (): Promise<void> => {
    await client.subscribe('news')
    await observer(redis).publish('news', 'ü')
    await eventually(() => expect([...direct, ...throughIoredis]).toHaveLength(1))
  }
  await client.connect()
  await publish()
  expect([direct, throughIoredis]).toEqual(hasOther ? [[], ['news ü']] : [['news ü'], []])
  end()
  direct.length = 0
  throughIoredis.length = 0
  // On the next connection ioredis reads everything.
  const ended = once(client, 'end')
  client.disconnect()
  await ended
  await client.connect()
  await publish()
  expect(throughIoredis).toEqual(['news ü'])
})
