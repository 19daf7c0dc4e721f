import { DEFAULT_LIMITS, ERROR_CODES, type Requests } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { codeOf, connectPlain, serve, type PlainClient, type Served } from './serve.ts'

let served: Served
let client: PlainClient

beforeAll(async () => {
  served = await serve()
  client = await served.connect()
})

afterAll(() => served.close())

const sixty5Levels = Array.from({ length: 65 }).reduce<unknown>((inner) => [inner], 1)

describe('what comes first', () => {
  test('[C1] the server sends protocol, instance and limits before anything else', async () => {
    const fresh = await served.connect()
    const limits = { ...DEFAULT_LIMITS }
    await eventually(() => expect(fresh.received).toHaveLength(1))
    expect(fresh.received[0]).toEqual({
      name: 'server:hello',
      payload: { protocol: 1, instance: served.realtime.instanceId, limits, features: ['presence', 'room', 'lock'] },
    })
  })

  test('[X4] a protocol that the server does not speak is refused with PROTOCOL', async () => {
    await expect(connectPlain(served.url, { auth: { protocol: 2 } })).rejects.toMatchObject({
      data: { code: 'PROTOCOL', retryable: false },
    })
  })

  test('[X4] a handshake of the wrong shape is refused', async () => {
    const { socket } = await connectPlain(served.url, { auth: { protocol: 1, clientId: 'a_b-1' } })
    socket.disconnect()
    await expect(connectPlain(served.url, { auth: { protocol: '1' } })).rejects.toMatchObject({ data: { code: 'INVALID_MESSAGE' } })
    await expect(connectPlain(served.url, { auth: { clientId: 'a:b' } })).rejects.toMatchObject({ data: { code: 'INVALID_MESSAGE' } })
  })
})

describe('rubbish', () => {
  const names: (keyof Requests)[] = [
    'storage:get',
    'storage:subscribe',
    'storage:unsubscribe',
    'storage:set',
    'storage:remove',
    'storage:increment',
    'storage:patch',
    'event:subscribe',
    'event:unsubscribe',
    'event:publish',
  ]
  const rubbish: unknown[] = [
    undefined,
    null,
    7,
    'text',
    true,
    [],
    {},
    Buffer.from('binary'),
    { key: 7, channel: 7, keys: 7 },
    { key: '', channel: '', keys: [''] },
    { key: '$state', channel: '$x', keys: [{ key: 'a$b' }] },
    { key: 'k'.repeat(257), channel: 'c'.repeat(257), keys: [{ key: 'k'.repeat(257) }] },
    { key: 'k'.repeat(100_000), channel: 'c'.repeat(100_000), keys: [{ key: 'k'.repeat(100_000) }] },
    { key: 'a/b', channel: 'a/b', keys: [{ key: 'a?b' }] },
    { key: 'a:..:b', channel: 'a:*:b', keys: [{ key: '\u0000' }] },
    { key: '\ud800', channel: '\ud800', keys: [{ key: '\ud800' }] },
    { key: { toString: 'k' }, channel: { toString: 'k' }, keys: { length: 1, 0: { key: 'k' } } },
    { key: ['k'], channel: ['k'], keys: [[]] },
    JSON.parse('{ "__proto__": { "key": "k", "channel": "c", "keys": [] } }'),
    { constructor: { prototype: { key: 'k' } } },
    { key: Buffer.from('k'), channel: Buffer.from('c'), keys: [Buffer.from('k')] },
  ]
  // Right in everything but one part.
  const nearly: [keyof Requests, unknown][] = [
    ['storage:set', { key: 'k' }],
    ['storage:set', { key: 'k', value: Buffer.from('x') }],
    ['storage:set', { key: 'k', value: { deep: [Buffer.from('x')] } }],
    ['storage:set', { key: 'k', value: sixty5Levels }],
    ['storage:set', { key: 'k', value: 1, ifVersion: -1 }],
    ['storage:set', { key: 'k', value: 1, ifVersion: '0' }],
    ['storage:set', { key: 'k', value: 1, ttlMs: 0 }],
    ['storage:set', { key: 'k', value: 1, mutation: { number: 0, clientId: 'c' } }],
    ['storage:set', { key: 'k', value: 1, mutation: { number: 1 } }],
    ['storage:set', { key: 'k', value: 1, mutation: { number: 1, clientId: 'a:b' } }],
    ['storage:remove', { key: 'k', ifVersion: 0.5 }],
    ['storage:increment', { key: 'k' }],
    ['storage:increment', { key: 'k', by: '1' }],
    ['storage:increment', { key: 'k', by: null }],
    ['storage:increment', { key: 'k', by: 1, initial: {} }],
    ['storage:patch', { key: 'k', patch: [] }],
    ['storage:patch', { key: 'k', patch: null }],
    ['storage:patch', { key: 'k', patch: sixty5Levels }],
    ['event:publish', { channel: 'c' }],
    ['event:publish', { channel: 'c', data: Buffer.from('x') }],
    ['event:publish', { channel: 'c', data: sixty5Levels }],
    ['event:publish', { channel: 'c:*', data: 1 }],
    ['event:publish', { channel: 'c', data: 1, includeSelf: 'yes' }],
    ['event:subscribe', { channel: 'a*' }],
    ['storage:subscribe', { keys: [{ key: 'k', version: 'x' }] }],
    ['storage:subscribe', { keys: Array.from({ length: 1001 }, (_, index) => ({ key: `k${index}` })) }],
  ]

  test('[X4] [X7] every handler replies to any payload with an error, without effect', async () => {
    const cases = [...names.flatMap((name) => rubbish.map((message): [keyof Requests, unknown] => [name, message])), ...nearly]
    for (const [name, message] of cases) {
      const reply = await client.send(name, ...(message === undefined ? [] : [message]))
      expect(reply.ok, `${name} ${JSON.stringify(message)?.slice(0, 80)}`).toBe(false)
      if (reply.ok) continue
      expect(
        Object.keys(reply.error)
          .toSorted()
          .filter((field) => field !== 'issues'),
      ).toEqual(['code', 'message', 'retryable'])
      expect(ERROR_CODES).toContain(reply.error.code)
      expect(reply.error.code).not.toBe('INTERNAL')
      expect(JSON.stringify(reply)).not.toMatch(/node_modules|\.ts|\\n +at /)
    }
    expect(await client.request('storage:get', { key: 'k' })).toEqual({ ok: true, key: 'k', version: 0, removed: true })
  })

  test('[X4] unknown messages are refused, except those of the application', async () => {
    expect(codeOf(await client.send('storage:drop', { key: 'k' }))).toBe('UNSUPPORTED')
    served.realtime.io.once('connection', (socket) => {
      for (const name of ['app:ping', 'app:storage:get']) socket.on(name, (reply: (answer: string) => void) => reply('app:pong'))
    })
    const fresh = await served.connect()
    for (const name of ['app:ping', 'app:storage:get']) expect(await fresh.send(name)).toBe('app:pong')
  })

  test('[X4] a message without an acknowledgement is handled too', async () => {
    client.socket.emit('storage:set', { key: 'unacknowledged', value: 1 })
    client.socket.emit('storage:set', { nothing: 1 })
    client.socket.emit('storage:set')
    await eventually(async () => expect(await client.request('storage:get', { key: 'unacknowledged' })).toMatchObject({ value: 1 }))
  })

  test('[X5] a message above the payload limit ends only its own connection', async () => {
    for (const transport of ['websocket', 'polling']) {
      const flooder = await served.connect({ transports: [transport] })
      await expect(flooder.send('storage:set', { key: 'huge', value: 'x'.repeat(1_000_001) })).rejects.toThrow('disconnected')
    }
    expect(await client.request('storage:get', { key: 'huge' })).toMatchObject({ version: 0 })
  })
})

describe('limits', () => {
  test('[X5] subscriptions of keys and channels are limited, and freed again', async () => {
    const small = await serve({ limits: { maxSubscriptions: 3 } })
    const subscriber = await small.connect()
    await subscriber.request('storage:subscribe', { keys: [{ key: 'a' }, { key: 'b' }] })
    await subscriber.request('event:subscribe', { channel: 'c' })
    await subscriber.request('event:subscribe', { channel: 'c' })
    expect(codeOf(await subscriber.send('event:subscribe', { channel: 'd' }))).toBe('TOO_MANY_SUBSCRIPTIONS')
    expect(codeOf(await subscriber.send('storage:subscribe', { keys: [{ key: 'd' }] }))).toBe('TOO_MANY_SUBSCRIPTIONS')
    await subscriber.request('storage:unsubscribe', { keys: [{ key: 'a' }] })
    await subscriber.request('event:subscribe', { channel: 'd' })
    await subscriber.request('event:unsubscribe', { channel: 'd' })
    await subscriber.request('storage:subscribe', { keys: [{ key: 'd' }] })
    await small.close()
  })

  test('[X5] keys are bounded at 256 bytes, not characters', async () => {
    await client.request('storage:set', { key: 'ü'.repeat(128), value: 1 })
    expect(codeOf(await client.send('storage:set', { key: `${'ü'.repeat(128)}x`, value: 1 }))).toBe('INVALID_KEY')
  })

  test('[X5] a message may name as many keys as announced', async () => {
    const small = await serve({ limits: { maxKeysPerMessage: 2 } })
    const subscriber = await small.connect()
    const keys = ['a', 'b', 'c'].map((key) => ({ key }))
    await subscriber.request('storage:subscribe', { keys: keys.slice(1) })
    expect(codeOf(await subscriber.send('storage:subscribe', { keys }))).toBe('TOO_LARGE')
    await small.close()
  })

  test('[X5] an option that cannot work is refused at once', async () => {
    await expect(serve({ limits: { maxSubscriptions: 0 } })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
    await expect(serve({ shutdown: { drainMs: -1 } })).rejects.toMatchObject({ code: 'INVALID_OPTIONS' })
  })
})

describe('failures of the server’s own', () => {
  test('[X7] an unknown failure is INTERNAL for the client and goes to onError', async () => {
    const errors: unknown[] = []
    const broken = await serve({
      onError: (error, context) => errors.push([error, context]),
      features: [
        () => ({
          name: 'broken',
          handlers: [
            {
              name: 'storage:get',
              answer: () => {
                throw new Error('secret of the house')
              },
            },
          ],
        }),
      ],
    })
    const caller = await broken.connect()
    const reply = await caller.send('storage:get', { key: 'k' })
    expect(codeOf(reply)).toBe('INTERNAL')
    expect(JSON.stringify(reply)).not.toContain('secret')
    expect(codeOf(await caller.send('storage:set', {}))).toBe('INVALID_MESSAGE')
    expect(errors).toEqual([[new Error('secret of the house'), { stage: 'handler', subject: 'storage:get' }]])
    await broken.close()
  })
})
