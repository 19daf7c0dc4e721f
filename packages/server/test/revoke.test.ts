import { createMemoryBus, MemoryPubSub, RealtimePubSub, type Unsubscribe } from '@tutti/pubsub'
import { reactiveDriver, reactiveRedisDriver } from '@tutti/storage-driver'
import { eventually, startRedis } from '@tutti/test-kit'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import memoryDriver from 'unstorage/drivers/memory'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Decision, Credentials, AuthorizeRequest } from '../src/index.ts'
import { attachRealtime, type AttachRealtimeOptions } from '../src/http/node/index.ts'
import { codeOf, connectPlain, serve, type PlainClient, type Served } from './serve.ts'

const authenticate = ({ token = '' }: Credentials) => ({ id: token })
const FORBIDDEN = { code: 'FORBIDDEN', message: 'Access was revoked.', retryable: false }

type Instance = Served & { as: (user: string) => Promise<PlainClient> }

async function served(options: Partial<AttachRealtimeOptions>): Promise<Instance> {
  const server = await serve({ authenticate, ...options })
  onTestFinished(() => server.close())
  return { ...server, as: (user) => server.connect({ auth: { token: user } }) }
}

/** Everything that was sent before this has arrived. */
const settled = (client: PlainClient): Promise<unknown> => client.send('storage:unsubscribe', { keys: [] })

/** Everything is allowed except the accesses in the set, as `user key-or-channel`. */
function forbidding(): { forbidden: Set<string>; authorize: (question: AuthorizeRequest) => Decision } {
  const forbidden = new Set<string>()
  const authorize = ({ user, target }: AuthorizeRequest): Decision =>
    ('pattern' in target || 'prefix' in target) && forbidden.size > 0
      ? 'each'
      : !forbidden.has(`${user?.id} ${Object.values(target).join('')}`)
  return { forbidden, authorize }
}

test('[X2] revoking ends and notifies only subscriptions of that user', async () => {
  const { forbidden, authorize } = forbidding()
  const { as, realtime } = await served({ authorize })
  const [ann, bob] = [await as('ann'), await as('bob')]
  for (const client of [ann, bob]) {
    await client.request('storage:subscribe', { keys: [{ key: 'todos:1' }, { key: 'notes:1' }] })
    for (const channel of ['todos:1', 'todos:*', 'notes:*']) await client.request('event:subscribe', { channel })
  }
  forbidden.add('ann todos:1')
  await realtime.revoke({ user: 'ann', pattern: 'todos:*' })
  await realtime.state.set('todos:1', 1)
  await realtime.state.set('notes:1', 1)
  await realtime.events.publish('todos:1', 1)
  await realtime.events.publish('notes:1', 1)
  await Promise.all([ann, bob].map(settled))
  expect(ann.of('server:revoked')).toEqual(
    [{ key: 'todos:1' }, { channel: 'todos:1' }, { channel: 'todos:*' }].map((target) => ({ target, error: FORBIDDEN })),
  )
  expect(ann.of('storage:updated')).toMatchObject([{ key: 'notes:1' }])
  expect(ann.of('event:received')).toEqual([{ channel: 'notes:1', data: 1 }])
  expect(codeOf(await ann.send('storage:get', { key: 'todos:1' }))).toBe('FORBIDDEN')
  expect(codeOf(await ann.send('storage:set', { key: 'todos:1', value: 2 }))).toBe('FORBIDDEN')
  expect(bob.of('server:revoked')).toEqual([])
  expect(bob.of('storage:updated')).toHaveLength(2)
  expect(bob.of('event:received')).toHaveLength(2)
})

test('[X2] without a pattern everything ends; allowed names may be requested again', async () => {
  const { as, realtime } = await served({})
  const ann = await as('ann')
  await ann.request('storage:subscribe', { keys: [{ key: 'a' }] })
  await ann.request('event:subscribe', { channel: '*' })
  await realtime.revoke({ user: 'ann' })
  await realtime.state.set('a', 1)
  await realtime.events.publish('a', 1)
  await settled(ann)
  expect(ann.of('server:revoked')).toEqual([
    { target: { key: 'a' }, error: FORBIDDEN },
    { target: { channel: '*' }, error: FORBIDDEN },
  ])
  expect([...ann.of('storage:updated'), ...ann.of('event:received')]).toEqual([])
  await ann.request('storage:subscribe', { keys: [{ key: 'a' }] })
  await realtime.state.set('a', 2)
  await eventually(() => expect(ann.of('storage:updated')).toMatchObject([{ value: 2 }]))
  await expect(realtime.revoke({ user: 'ann', pattern: 'a*' })).rejects.toMatchObject({ code: 'INVALID_CHANNEL' })
})

test('[X2] a revoked part of a pattern ends; other channels are authorized each', async () => {
  const { forbidden, authorize } = forbidding()
  const { as, realtime } = await served({ authorize })
  const ann = await as('ann')
  await ann.request('event:subscribe', { channel: 'chat:*' })
  forbidden.add('ann chat:1')
  await realtime.revoke({ user: 'ann', pattern: 'chat:1' })
  for (const channel of ['chat:1', 'chat:2']) await realtime.events.publish(channel, 1)
  await settled(ann)
  expect(ann.of('event:received')).toEqual([{ channel: 'chat:2', data: 1 }])
  expect(ann.of('server:revoked')).toEqual([])
})

test('[X2] [S17] a revoked part of a prefix ends; other keys are authorized each', async () => {
  const { forbidden, authorize } = forbidding()
  const { as, realtime } = await served({ authorize })
  const ann = await as('ann')
  await ann.request('storage:subscribe', { prefix: 'todos:' })
  forbidden.add('ann todos:1')
  await realtime.revoke({ user: 'ann', pattern: 'todos:1' })
  for (const key of ['todos:1', 'todos:2']) await realtime.state.set(key, 1)
  await settled(ann)
  expect(ann.of('storage:updated')).toMatchObject([{ key: 'todos:2' }])
  expect(ann.of('server:revoked')).toEqual([])
  expect(await ann.request('storage:subscribe', { prefix: 'todos:' })).toMatchObject({ entries: [{ key: 'todos:2' }] })
})

test.each(['todos:*', '*', undefined])('[X2] [S17] a prefix ends when %s is revoked, and other prefixes go on', async (pattern) => {
  const { as, realtime } = await served({})
  const ann = await as('ann')
  for (const prefix of ['todos:', 'notes:']) await ann.request('storage:subscribe', { prefix })
  await realtime.revoke({ user: 'ann', ...(pattern === undefined ? {} : { pattern }) })
  await realtime.state.set('todos:2', 1)
  await realtime.state.set('notes:1', 1)
  await settled(ann)
  const all = pattern === undefined || pattern === '*'
  const ended = all ? ['todos:', 'notes:'] : ['todos:']
  expect(ann.of('server:revoked')).toEqual(ended.map((prefix) => ({ target: { prefix }, error: FORBIDDEN })))
  expect(ann.of('storage:updated')).toMatchObject(all ? [] : [{ key: 'notes:1' }])
})

describe('rights that are revoked during their authorization', () => {
  test('[X2] an answer from before counts no more', async () => {
    const answers: ((answer: Decision) => void)[] = []
    const { as, realtime } = await served({ authorize: () => new Promise((answer) => answers.push(answer)) })
    const ann = await as('ann')
    const replies = [ann.send('storage:set', { key: 'k', value: 1 }), ann.send('event:subscribe', { channel: 'c' })]
    await eventually(() => expect(answers).toHaveLength(2))
    await realtime.revoke({ user: 'ann' })
    for (const answer of answers.splice(0)) answer(true)
    await eventually(() => expect(answers).toHaveLength(2))
    for (const answer of answers.splice(0)) answer(false)
    expect((await Promise.all(replies)).map(codeOf)).toEqual(['FORBIDDEN', 'FORBIDDEN'])
    expect(await realtime.state.get('k')).toMatchObject({ version: 0 })
  })

  test('[X2] an allowed message that waits for an earlier one is authorized again', async () => {
    const { forbidden, authorize } = forbidding()
    let answer: (answer: Decision) => void = () => {}
    const slowly = (question: AuthorizeRequest): Decision | Promise<Decision> =>
      question.action === 'event:publish' ? new Promise((resolve) => (answer = resolve)) : authorize(question)
    const { as, realtime } = await served({ authorize: slowly })
    const ann = await as('ann')
    const replies = [ann.send('event:publish', { channel: 'c', data: 1 }), ann.send('storage:set', { key: 'k', value: 1 })]
    await settled(await as('bob'))
    forbidden.add('ann k')
    const first = answer
    await realtime.revoke({ user: 'ann' })
    first(true)
    await eventually(() => expect(answer).not.toBe(first))
    answer(true)
    expect((await Promise.all(replies)).map(({ ok }) => ok)).toEqual([true, false])
  })

  test('[X2] an event that waits for an answer is not delivered by one from before', async () => {
    const answers: ((answer: Decision) => void)[] = []
    const authorize = ({ target }: AuthorizeRequest) =>
      'pattern' in target ? 'each' : new Promise<Decision>((answer) => answers.push(answer))
    const { as, realtime } = await served({ authorize })
    const ann = await as('ann')
    await ann.request('event:subscribe', { channel: '*' })
    await realtime.events.publish('c', 1)
    await realtime.revoke({ user: 'ann', pattern: 'c' })
    answers.splice(0).at(0)?.(true)
    await eventually(() => expect(answers).toHaveLength(1))
    answers[0]?.(false)
    await settled(ann)
    expect(ann.of('event:received')).toEqual([])
  })

  test('[X2] [S2] a key revoked while its entry is read is not subscribed', async () => {
    const driver = memoryDriver()
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    const reads: string[] = []
    const slow = {
      ...driver,
      getItem: async (key: string) => {
        reads.push(key)
        await gate
        return driver.getItem(key, {})
      },
    }
    const { as, realtime } = await served({ state: reactiveDriver(slow) })
    const ann = await as('ann')
    const reply = ann.request('storage:subscribe', { keys: [{ key: 'a' }] })
    await eventually(() => expect(reads.length).toBeGreaterThan(0))
    await realtime.revoke({ user: 'ann' })
    open()
    expect(await reply).toEqual({ ok: true, entries: [] })
    await realtime.state.set('a', 1)
    await settled(ann)
    expect(ann.of('server:revoked')).toEqual([1, 2].map(() => ({ target: { key: 'a' }, error: FORBIDDEN })))
    expect(ann.of('storage:updated')).toEqual([])
  })
})

test('[X2] a value that is being read is withheld after a revocation', async () => {
  const driver = memoryDriver()
  const reads: ((open: void) => void)[] = []
  let held = false
  const slow = {
    ...driver,
    getItem: async (key: string) => {
      if (held) await new Promise<void>((resolve) => reads.push(resolve))
      return driver.getItem(key, {})
    },
  }
  const { forbidden, authorize } = forbidding()
  const asked: string[] = []
  const counting = (question: AuthorizeRequest): Decision => {
    asked.push(Object.values(question.target).join(''))
    return { allow: authorize(question) === true, forMs: 0 }
  }
  const { as, realtime } = await served({ authorize: counting, state: reactiveDriver(slow) })
  for (const key of ['a', 'b']) await realtime.state.set(key, 'secret')
  const ann = await as('ann')
  held = true
  const replies = ['a', 'b'].map((key) => ann.send('storage:get', { key }))
  await eventually(() => expect(asked).toHaveLength(2))
  await eventually(() => expect(reads.length).toBeGreaterThan(0))
  forbidden.add('ann a')
  await realtime.revoke({ user: 'ann', pattern: 'a' })
  held = false
  for (const open of reads) open()
  expect(await Promise.all(replies)).toMatchObject([
    { ok: false, error: { code: 'FORBIDDEN' } },
    { ok: true, value: 'secret' },
  ])
  // If no rights were revoked, nothing is authorized twice.
  await ann.request('storage:get', { key: 'b' })
  expect(asked).toEqual(['a', 'b', 'a', 'b', 'b'])
})

test('[X2] an instance that may have missed a revocation authorizes all again', async () => {
  const { forbidden, authorize } = forbidding()
  const bus = createMemoryBus()
  const { as, realtime } = await served({ authorize, pubsub: new MemoryPubSub({ bus }) })
  const ann = await as('ann')
  await ann.request('storage:subscribe', { keys: [{ key: 'a' }, { key: 'b' }] })
  await ann.request('event:subscribe', { channel: 'a' })
  await ann.request('event:subscribe', { channel: 'b' })
  forbidden.add('ann a')
  bus.interrupt()
  bus.restore()
  await eventually(() => expect(ann.of('server:revoked')).toHaveLength(2))
  await realtime.state.set('a', 1)
  await realtime.state.set('b', 1)
  await eventually(() => expect(ann.of('storage:updated')).toMatchObject([{ key: 'b' }]))
})

test('[X2] a subscription is authorized again when its answer expires', async () => {
  let allow = true
  const { as, realtime } = await served({ authorize: () => ({ allow, forMs: 20 }) })
  const ann = await as('ann')
  await ann.request('storage:subscribe', { keys: [{ key: 'a' }] })
  await ann.request('event:subscribe', { channel: 'a' })
  allow = false
  await eventually(() => expect(ann.of('server:revoked')).toHaveLength(2))
  await realtime.state.set('a', 1)
  await settled(ann)
  expect(ann.of('storage:updated')).toEqual([])
})

describe('two instances on one Redis', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>
  beforeAll(async () => void (redis = await startRedis()))
  afterAll(() => redis.stop())

  test('[X2] revoked rights end delivery on the other instance within 250 ms', async () => {
    const { forbidden, authorize } = forbidding()
    const serveOne = async (): Promise<Instance> => {
      const pubsub = new RealtimePubSub({ url: redis.url })
      return served({ authorize, pubsub, state: reactiveRedisDriver({ pubsub }) })
    }
    const [near, far] = [await serveOne(), await serveOne()]
    const clients = [await near.as('ann'), await far.as('ann')]
    const tookMs: number[] = []
    for (let round = 0; round < 20; round += 1) {
      forbidden.clear()
      await near.realtime.revoke({ user: 'ann' })
      for (const client of clients) await eventually(() => client.request('storage:subscribe', { keys: [{ key: 'k' }] }))
      const before = clients.map((client) => client.of('server:revoked').length)
      forbidden.add('ann k')
      const at = performance.now()
      await near.realtime.revoke({ user: 'ann', pattern: 'k' })
      await eventually(() => expect(clients.map((client) => client.of('server:revoked').length)).toEqual(before.map((count) => count + 1)))
      tookMs.push(performance.now() - at)
      for (const client of clients) client.received.length = 0
      await near.realtime.state.set('k', round)
      for (const client of clients) await settled(client)
      expect(clients.flatMap((client) => client.of('storage:updated'))).toEqual([])
    }
    tookMs.sort((a, b) => a - b)
    console.log(`revoked on both instances after ${tookMs[10]?.toFixed(1)} ms in the middle, ${tookMs.at(-1)?.toFixed(1)} ms at most`)
    expect(tookMs[10]).toBeLessThan(250)
  })
})

test('[X2] a revocation published before the subscription is in force is repaired', async () => {
  const late = Promise.withResolvers<void>()
  // Confirmed late by Redis: what is published before is not received.
  class LateSubscriber extends MemoryPubSub {
    override subscribe(channel: string, handler: (message: string) => void): Unsubscribe {
      return Object.assign(super.subscribe(channel, handler), { ready: late.promise })
    }
  }
  const { forbidden, authorize } = forbidding()
  const httpServer = createServer()
  const state = reactiveDriver(memoryDriver())
  const realtime = attachRealtime(httpServer, { state, authenticate, authorize, pubsub: new LateSubscriber() })
  onTestFinished(async () => {
    await realtime.close()
    httpServer.close()
  })
  await once(httpServer.listen(0, '127.0.0.1'), 'listening')
  const { port } = httpServer.address() as AddressInfo
  const ann = await connectPlain(`http://127.0.0.1:${port}`, { auth: { token: 'ann' } })
  onTestFinished(() => void ann.socket.disconnect())
  await ann.request('storage:subscribe', { keys: [{ key: 'todos:1' }] })
  forbidden.add('ann todos:1')
  late.resolve()
  await eventually(() => expect(ann.of('server:revoked')).toMatchObject([{ target: { key: 'todos:1' } }]))
})
