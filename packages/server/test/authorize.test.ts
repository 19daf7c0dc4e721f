import { RealtimeError, type RequestName } from '@tutti/protocol'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually } from '@tutti/test-kit'
import memoryDriver from 'unstorage/drivers/memory'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import { rules, type Decision, type Credentials, type AuthorizeRequest } from '../src/index.ts'
import type { Access } from '../src/authorization/authorize.ts'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { codeOf, serve, type PlainClient, type Served } from './serve.ts'

const authenticate = ({ token = '' }: Credentials) => ({ id: token })

async function served(options: Partial<AttachRealtimeOptions>): Promise<Served & { as: (user: string) => Promise<PlainClient> }> {
  const server = await serve({ authenticate, ...options })
  onTestFinished(() => server.close())
  return { ...server, as: (user) => server.connect({ auth: { token: user, clientId: user } }) }
}

/** An `authorize` whose answers are given by the test. */
function askedLater() {
  const asked: { question: AuthorizeRequest; answer: (answer: Decision) => void }[] = []
  const authorize = (question: AuthorizeRequest): Promise<Decision> => new Promise((answer) => asked.push({ question, answer }))
  return { asked, authorize, next: () => eventually(() => asked.shift() ?? expect.fail('nothing was asked')) }
}

const requests: [RequestName, object, Omit<Access, 'connection'>][] = [
  ['storage:get', { key: 'k' }, { action: 'state:read', target: { key: 'k' } }],
  ['storage:subscribe', { keys: [{ key: 'k' }] }, { action: 'state:read', target: { key: 'k' } }],
  ['storage:set', { key: 'k', value: 1 }, { action: 'state:write', target: { key: 'k' }, value: 1 }],
  ['storage:remove', { key: 'k' }, { action: 'state:write', target: { key: 'k' } }],
  ['storage:increment', { key: 'k', by: 2 }, { action: 'state:write', target: { key: 'k' }, value: 2 }],
  ['storage:patch', { key: 'k', patch: { a: 1 } }, { action: 'state:write', target: { key: 'k' }, value: { a: 1 } }],
  ['event:subscribe', { channel: 'c' }, { action: 'event:subscribe', target: { channel: 'c' } }],
  ['event:subscribe', { channel: 'c:*' }, { action: 'event:subscribe', target: { pattern: 'c:*' } }],
  ['event:publish', { channel: 'c', data: [1] }, { action: 'event:publish', target: { channel: 'c' }, value: [1] }],
]

test.each(requests)('[X2] %s %j requires %j, and is refused with FORBIDDEN', async (name, message, access) => {
  const asked: unknown[] = []
  const { as, realtime } = await served({ authorize: (question) => asked.push(question) < 0 })
  const heard: unknown[] = []
  realtime.events.subscribe('*', (event) => heard.push(event))
  const client = await as('ann')
  const reply = await client.send(name, message)
  const refusal = `Not allowed: ${access.action} on ${Object.values(access.target).join()}.`
  expect(reply).toEqual({ ok: false, error: { code: 'FORBIDDEN', message: refusal, retryable: false } })
  expect(asked).toEqual([{ ...access, user: { id: 'ann' }, connection: { id: client.socket.id, clientId: 'ann' } }])
  expect(heard).toEqual([])
  expect(await realtime.state.get('k')).toMatchObject({ version: 0 })
  await realtime.state.set('k', 1)
  await realtime.events.publish('c', 1)
  await realtime.events.publish('c:1', 1)
  await client.send('storage:get', { key: 'k' })
  expect(client.received.filter(({ name: kind }) => !kind.startsWith('server:'))).toEqual([])
})

test('[X2] [S6] a conflict without the right to read does not contain the entry', async () => {
  const { as, realtime } = await served({ authorize: rules({ state: { inbox: { write: true }, open: { read: true, write: true } } }) })
  await realtime.state.set('inbox', 'secret')
  await realtime.state.set('open', 'known')
  const client = await as('ann')
  for (const name of ['storage:set', 'storage:remove']) {
    const reply = await client.send(name, { key: 'inbox', value: 1, ifVersion: 0 })
    expect(reply).toEqual({ ok: false, error: { code: 'CONFLICT', message: expect.any(String), retryable: false } })
    expect(await client.send(name, { key: 'open', value: 1, ifVersion: 0 })).toMatchObject({ error: { entry: { value: 'known' } } })
  }
})

test('[X2] [X6] schema issues without the right to read do not contain the value', async () => {
  const state = reactiveDriver(memoryDriver())
  const schema = { state: { '*': v.object({ note: v.number(), own: v.number() }) } }
  const { as } = await served({ state, schema, authorize: rules({ state: { inbox: { write: true }, open: { read: true, write: true } } }) })
  // Stored by other means, so that no schema has judged it.
  for (const key of ['inbox', 'open']) await state.setItem?.(key, '{"note":"secret"}', {})
  const client = await as('ann')
  const patched = async (key: string): Promise<string> => JSON.stringify(await client.send('storage:patch', { key, patch: { own: 1 } }))
  expect(JSON.parse(await patched('inbox'))).toEqual({
    ok: false,
    error: { code: 'INVALID_VALUE', message: expect.any(String), retryable: false },
  })
  expect(await patched('open')).toContain('secret')
  // What the client itself sends is all that these issues are about.
  expect(JSON.stringify(await client.send('storage:set', { key: 'inbox', value: { note: 'mine', own: 1 } }))).toContain('mine')
})

test.each([
  [1_000, []],
  [1_002, ['OVERFLOW']],
])('[X2] [E4] of %i events awaiting one answer the first 1,000 are delivered', async (count, told) => {
  const errors: unknown[] = []
  let answer: (answer: Decision) => void = () => {}
  const authorize = ({ target }: AuthorizeRequest) =>
    'pattern' in target ? 'each' : new Promise<Decision>((resolve) => (answer = resolve))
  const { as, realtime } = await served({ authorize, onError: (error) => errors.push(error instanceof RealtimeError && error.code) })
  const client = await as('ann')
  await client.request('event:subscribe', { channel: '*' })
  for (let number = 1; number <= count; number += 1) await realtime.events.publish('c', number)
  answer(true)
  await eventually(() => expect(client.of('event:received')).toHaveLength(1_000))
  expect(client.of('event:received')).toEqual(Array.from({ length: 1_000 }, (_, index) => ({ channel: 'c', data: index + 1 })))
  expect(errors).toEqual(told)
})

test('[X2] a message that names many keys is refused if one of them is', async () => {
  const { as, realtime } = await served({ authorize: rules({ state: { 'a:*': { read: true } } }) })
  const client = await as('ann')
  expect(codeOf(await client.send('storage:subscribe', { keys: [{ key: 'a:1' }, { key: 'b' }, { key: 'a:2' }] }))).toBe('FORBIDDEN')
  await realtime.state.set('a:1', 1)
  await client.request('storage:subscribe', { keys: [{ key: 'a:2' }] })
  expect(client.of('storage:updated')).toEqual([])
})

test('[X2] any answer that is not a clear yes is a no', async () => {
  let answer: unknown
  const { as } = await served({ authorize: () => answer as Decision })
  const client = await as('ann')
  for (answer of [undefined, null, 1, 'yes', 'true', {}, { allow: 1 }, [], 'each', { allow: 'each' }])
    expect(codeOf(await client.send('storage:set', { key: 'k', value: 1 }))).toBe('FORBIDDEN')
})

test('[X2] [X7] an authorize that throws refuses with its code, or as INTERNAL', async () => {
  const errors: unknown[] = []
  let failure: Error = new RealtimeError('UNAVAILABLE', { message: 'The user database is away.' })
  const authorize = async () => {
    throw failure
  }
  const { as } = await served({ authorize, onError: (error) => errors.push(error) })
  const client = await as('ann')
  expect(await client.send('storage:get', { key: 'k' })).toMatchObject({ error: { code: 'UNAVAILABLE', retryable: true } })
  expect(errors).toEqual([])
  failure = new TypeError('a secret of the server')
  expect(codeOf(await client.send('storage:get', { key: 'k' }))).toBe('INTERNAL')
  expect(errors).toEqual([failure])
})

describe('order', () => {
  test('[E4] events arrive in the order of their publication, for any order of answers', async () => {
    const { asked, authorize, next } = askedLater()
    const { as } = await served({ authorize: (question) => (question.action === 'event:publish' ? authorize(question) : true) })
    const [ann, bob] = [await as('ann'), await as('bob')]
    await bob.request('event:subscribe', { channel: 'c' })
    const replies = [1, 2, 3].map((data) => ann.send('event:publish', { channel: 'c', data }))
    await eventually(() => expect(asked).toHaveLength(3))
    const [first, second, third] = [await next(), await next(), await next()]
    third.answer(true)
    second.answer(false)
    await bob.request('event:subscribe', { channel: 'other' })
    expect(bob.of('event:received')).toEqual([])
    first.answer(true)
    expect((await Promise.all(replies)).map(({ ok }) => ok)).toEqual([true, false, true])
    await eventually(() => expect(bob.of('event:received')).toEqual([1, 3].map((data) => ({ channel: 'c', data }))))
  })

  test('[E4] what needs no question waits for what was sent before it', async () => {
    const { authorize, next } = askedLater()
    const { as, realtime } = await served({ authorize: (question) => (question.action === 'event:subscribe' ? authorize(question) : true) })
    const ann = await as('ann')
    const replies = [ann.send('event:subscribe', { channel: 'c' }), ann.send('event:unsubscribe', { channel: 'c' })]
    const { answer } = await next()
    answer(true)
    expect((await Promise.all(replies)).map(({ ok }) => ok)).toEqual([true, true])
    await realtime.events.publish('c', 1)
    await ann.request('storage:get', { key: 'k' })
    expect(ann.of('event:received')).toEqual([])
  })

  test('[S2] a key that awaits authorization receives its entry, then its changes', async () => {
    const { authorize, next } = askedLater()
    const { as, realtime } = await served({ authorize })
    const ann = await as('ann')
    const reply = ann.request('storage:subscribe', { keys: [{ key: 'k' }] })
    const { answer } = await next()
    await realtime.state.set('k', 1)
    answer(true)
    expect(await reply).toMatchObject({ entries: [{ key: 'k', value: 1 }] })
    await realtime.state.set('k', 2)
    await eventually(() => expect(ann.of('storage:updated')).toMatchObject([{ value: 2 }]))
  })

  test('[X2] a connection that leaves during authorization leaves no state', async () => {
    const { authorize, next } = askedLater()
    const { as, realtime } = await served({ authorize })
    const ann = await as('ann')
    ann.socket.emit('event:subscribe', { channel: 'c' })
    const { answer } = await next()
    ann.socket.disconnect()
    await eventually(() => expect(realtime.io.sockets.sockets.size).toBe(0))
    answer(true)
    await new Promise(setImmediate)
    expect([...realtime.io.of('/').adapter.rooms.keys()]).toEqual([])
  })
})

describe('what is remembered', () => {
  const counted = (answerOf: (question: AuthorizeRequest) => Decision) => {
    const asked: string[] = []
    const authorize = (question: AuthorizeRequest): Decision => {
      asked.push(question.action)
      return answerOf(question)
    }
    return { asked, authorize }
  }

  test('[X2] a yes to reading, for the connection; writing is authorized each time', async () => {
    const { asked, authorize } = counted(() => true)
    const { as } = await served({ authorize })
    for (const client of [await as('ann'), await as('ann')]) {
      for (let time = 0; time < 2; time += 1) for (const [name, message] of requests) await client.request(name, message as never)
      expect(asked.splice(0).sort()).toEqual([
        ...Array.from({ length: 2 }, () => 'event:publish'),
        'event:subscribe',
        'event:subscribe',
        'state:read',
        ...Array.from({ length: 8 }, () => 'state:write'),
      ])
    }
  })

  test('[X2] a removal that was allowed allows no other write', async () => {
    const { as } = await served({ authorize: ({ value }) => value === undefined })
    const ann = await as('ann')
    await ann.request('storage:remove', { key: 'k' })
    expect(codeOf(await ann.send('storage:set', { key: 'k', value: 1 }))).toBe('FORBIDDEN')
  })

  test('[X2] any answer for its specified time', async () => {
    let forMs = 60_000
    const { asked, authorize } = counted(() => ({ allow: true, forMs }))
    const { as } = await served({ authorize })
    const ann = await as('ann')
    const set = () => ann.request('storage:set', { key: 'k', value: 1 })
    for (let time = 0; time < 3; time += 1) await set()
    expect(asked.splice(0)).toEqual(['state:write'])
    forMs = 0
    for (let time = 0; time < 3; time += 1) await ann.request('storage:get', { key: 'k' })
    expect(asked.splice(0)).toEqual(['state:read', 'state:read', 'state:read'])
  })

  test('[X2] a no, so that repeated requests cost nothing', async () => {
    const { asked, authorize } = counted(() => false)
    const { as } = await served({ authorize })
    const ann = await as('ann')
    for (let time = 0; time < 3; time += 1) expect(codeOf(await ann.send('storage:get', { key: 'k' }))).toBe('FORBIDDEN')
    expect(asked).toEqual(['state:read'])
  })

  test('[X2] concurrent requests share one call', async () => {
    const { asked, authorize, next } = askedLater()
    const { as } = await served({ authorize })
    const ann = await as('ann')
    const replies = [1, 2, 3].map(() => ann.send('storage:get', { key: 'k' }))
    const { answer } = await next()
    answer(true)
    expect((await Promise.all(replies)).every(({ ok }) => ok)).toBe(true)
    expect(asked).toEqual([])
  })
})

describe('each channel of a pattern', () => {
  const eachOf = (answerOf: (question: AuthorizeRequest) => Decision | Promise<Decision>) => (question: AuthorizeRequest) =>
    'pattern' in question.target ? 'each' : question.action === 'event:subscribe' ? answerOf(question) : true

  test('[X2] only channels that are allowed are delivered, others not even once', async () => {
    const authorize = eachOf(({ target }) => 'channel' in target && target.channel.endsWith(':open'))
    const { as, realtime } = await served({ authorize })
    const ann = await as('ann')
    await ann.request('event:subscribe', { channel: 'chat:*' })
    await ann.request('event:subscribe', { channel: '*' })
    for (const channel of ['chat:secret', 'chat:open', 'chat:secret', 'other:open', 'chat:open']) await realtime.events.publish(channel, 1)
    await ann.request('storage:get', { key: 'k' })
    expect(ann.of('event:received')).toEqual(['chat:open', 'other:open', 'chat:open'].map((channel) => ({ channel, data: 1 })))
    await ann.request('event:unsubscribe', { channel: '*' })
    await ann.request('event:unsubscribe', { channel: 'chat:*' })
    await realtime.events.publish('chat:open', 2)
    await ann.request('storage:get', { key: 'k' })
    expect(ann.of('event:received')).toHaveLength(3)
  })

  test('[X2] [E4] nothing is delivered before the answer; then all that waited, in order', async () => {
    const { authorize, asked, next } = askedLater()
    const { as, realtime } = await served({ authorize: eachOf(authorize) })
    const [ann, bob] = [await as('ann'), await as('bob')]
    for (const client of [ann, bob]) await client.request('event:subscribe', { channel: 'chat:*' })
    for (const data of [1, 2, 3]) await realtime.events.publish('chat:1', data)
    const [first, second] = [await next(), await next()]
    expect(asked).toEqual([])
    expect(ann.of('event:received')).toEqual([])
    first.answer(true)
    second.answer(false)
    await eventually(() => expect(ann.of('event:received')).toHaveLength(3))
    await realtime.events.publish('chat:1', 4)
    await eventually(() => expect(ann.of('event:received')).toEqual([1, 2, 3, 4].map((data) => ({ channel: 'chat:1', data }))))
    await bob.request('event:unsubscribe', { channel: 'none' })
    expect(bob.of('event:received')).toEqual([])
  })

  test('[E1] [E2] a subscriber of channel and pattern receives each event once', async () => {
    const { as, realtime } = await served({ authorize: eachOf(async () => ({ allow: true, forMs: 0 })) })
    const ann = await as('ann')
    for (const channel of ['chat:1', 'chat:*', '*']) await ann.request('event:subscribe', { channel })
    await realtime.events.publish('chat:1', 'others')
    await ann.request('event:publish', { channel: 'chat:1', data: 'own' })
    await ann.request('event:publish', { channel: 'chat:2', data: 'own' })
    await ann.request('event:publish', { channel: 'chat:2', data: 'self', includeSelf: true })
    await ann.request('storage:get', { key: 'k' })
    expect(ann.of('event:received')).toEqual([
      { channel: 'chat:1', data: 'others' },
      { channel: 'chat:2', data: 'self' },
    ])
  })

  test('[X2] an authorize that throws delivers nothing, and its error is reported', async () => {
    const errors: unknown[] = []
    const failure = new TypeError('broken')
    const authorize = eachOf(() => Promise.reject(failure))
    const { as, realtime } = await served({ authorize, onError: (error, context) => errors.push([context, error]) })
    const ann = await as('ann')
    await ann.request('event:subscribe', { channel: '*' })
    await realtime.events.publish('chat:1', 1)
    await eventually(() => expect(errors).toEqual([[{ stage: 'authorize', subject: 'chat:1' }, failure]]))
    expect(ann.of('event:received')).toEqual([])
  })

  test('[X2] a connection that leaves during authorization receives nothing', async () => {
    const { authorize, next } = askedLater()
    const { as, realtime } = await served({ authorize: eachOf(authorize) })
    const ann = await as('ann')
    await ann.request('event:subscribe', { channel: '*' })
    await realtime.events.publish('chat:1', 1)
    const { answer } = await next()
    await ann.request('event:unsubscribe', { channel: '*' })
    answer(true)
    await realtime.events.publish('chat:1', 2)
    await ann.request('event:unsubscribe', { channel: '*' })
    expect(ann.of('event:received')).toEqual([])
  })
})

test('[X2] without authorize everything is open, with and without a user', async () => {
  const open = await serve()
  onTestFinished(() => open.close())
  const nobody = await open.connect()
  for (const [name, message] of requests) expect(await nobody.send(name, message)).toMatchObject({ ok: true })
})
