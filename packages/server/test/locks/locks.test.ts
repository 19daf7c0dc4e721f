import { eventually, startRedis } from '@tutti/test-kit'
import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import * as v from 'valibot'
import { describe, expect, onTestFinished, test } from 'vitest'
import { rules, type AuthorizeRequest } from '../../src/index.ts'
import { codeOf, serve, type PlainClient, type Served } from '../serve.ts'

type Options = Parameters<typeof serve>[0]

async function served(options: Options = {}): Promise<Served & { as: (token: string, clientId?: string) => Promise<PlainClient> }> {
  const server = await serve({ authenticate: ({ token = '' }) => ({ id: token }), ...options })
  onTestFinished(() => server.close())
  return { ...server, as: (token, clientId = token) => server.connect({ auth: { token, clientId } }) }
}

/** A server on Redis, whose locks and state are in Redis. */
async function servedOnRedis(options: Options = {}): Promise<Awaited<ReturnType<typeof served>>> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const pubsub = new RealtimePubSub({ url: redis.url })
  return served({ pubsub, state: reactiveRedisDriver({ pubsub }), ...options })
}

const tokenOf = async (client: PlainClient, key: string, request = 'r'): Promise<number> => {
  const result = await client.request('lock:acquire', { key, request })
  if (!('token' in result)) throw new Error(`not granted: ${JSON.stringify(result)}`)
  return result.token
}

describe.each([
  { place: 'in memory', start: served },
  { place: 'on Redis', start: servedOnRedis },
])('$place', ({ start }) => {
  test('[L3] a lock is granted, shown to watchers, and released', async () => {
    const { as } = await start()
    const [ada, bob] = [await as('ada'), await as('bob')]
    expect(await bob.request('lock:subscribe', { prefix: 'form:1:' })).toEqual({ ok: true, locks: [] })
    const { token } = (await ada.request('lock:acquire', { key: 'form:1:name', request: 'a', info: 'Ada' })) as { token: number }
    const holder = { user: 'ada', info: 'Ada' }
    expect(await bob.request('lock:acquire', { key: 'form:1:name', request: 'b' })).toEqual({ ok: true, holder })
    await eventually(() => expect(bob.of('lock:changed')).toEqual([{ key: 'form:1:name', holder }]))
    expect(await ada.request('lock:subscribe', { key: 'form:1:name' })).toEqual({ ok: true, locks: [{ key: 'form:1:name', holder }] })
    await ada.request('lock:release', { key: 'form:1:name', token: token - 1 })
    await ada.request('lock:acquire', { key: 'form:1:name', request: 'a', info: 'Ada' })
    await ada.request('lock:release', { key: 'form:1:name', token })
    await eventually(() => expect(bob.of('lock:changed').at(-1)).toEqual({ key: 'form:1:name' }))
    await bob.request('lock:unsubscribe', { prefix: 'form:1:' })
    expect(await tokenOf(bob, 'form:1:name')).toBeGreaterThan(token)
  })

  test('[L4] a late release of an ended grant does not end a later request', async () => {
    const { as } = await start()
    const [ada, bob] = [await as('ada'), await as('bob')]
    const ended = await tokenOf(ada, 'form:1')
    await ada.request('lock:release', { key: 'form:1', token: ended })
    const token = await tokenOf(bob, 'form:1')
    // The release arrives while the request is in flight.
    const replies = [
      ada.send('lock:acquire', { key: 'form:1', request: 'later', waitMs: 60_000 }),
      ada.send('lock:release', { key: 'form:1', token: ended }),
    ]
    expect(await Promise.all(replies)).toEqual([{ ok: true, waiting: true }, { ok: true }])
    await ada.request('lock:release', { key: 'form:1', token: ended })
    await bob.request('lock:release', { key: 'form:1', token })
    await eventually(() => expect(ada.of('lock:granted')).toMatchObject([{ key: 'form:1', request: 'later' }]))
  })

  test('[L4] a request that is cancelled or repeated before its reply is LOCK_LOST', async () => {
    const { as } = await start()
    const ada = await as('ada')
    const acquire = (request: string) => ada.send('lock:acquire', { key: 'form:1', request })
    const replies = [acquire('first'), acquire('second'), acquire('third')]
    await ada.request('lock:cancel', { key: 'form:1', request: 'third' })
    expect((await Promise.all(replies)).map(codeOf)).toEqual(['LOCK_LOST', 'LOCK_LOST', 'LOCK_LOST'])
    await tokenOf(await as('bob'), 'form:1')
  })

  test('[L4] a waiting request is granted, or refused with TIMEOUT, after its reply', async () => {
    const { as } = await start()
    const [ada, bob, eve] = [await as('ada'), await as('bob'), await as('eve')]
    const token = await tokenOf(ada, 'form:1')
    expect(await bob.request('lock:acquire', { key: 'form:1', request: 'b', waitMs: 60_000 })).toEqual({ ok: true, waiting: true })
    expect(await eve.request('lock:acquire', { key: 'form:1', request: 'e', waitMs: 20 })).toEqual({ ok: true, waiting: true })
    await eventually(() =>
      expect(eve.of('lock:refused')).toMatchObject([{ key: 'form:1', request: 'e', error: { code: 'TIMEOUT', retryable: true } }]),
    )
    await ada.request('lock:release', { key: 'form:1', token })
    await eventually(() => expect(bob.of('lock:granted')).toMatchObject([{ key: 'form:1', request: 'b' }]))
    expect(eve.of('lock:granted')).toEqual([])
    await bob.request('lock:cancel', { key: 'form:1', request: 'b' })
    await tokenOf(eve, 'form:1')
  })

  test('[L3] a client that reconnects keeps its lock; otherwise it ends after ttlMs', async () => {
    const { as } = await start()
    const [ada, bob] = [await as('ada'), await as('bob')]
    const token = await tokenOf(ada, 'form:1')
    ada.socket.disconnect()
    const again = await as('ada')
    expect(await tokenOf(again, 'form:1')).toBe(token)
    await again.request('lock:acquire', { key: 'form:2', request: 'x', ttlMs: 20 })
    await bob.request('lock:acquire', { key: 'form:2', request: 'b', waitMs: 60_000 })
    again.socket.disconnect()
    await eventually(() => expect(bob.of('lock:granted')).toHaveLength(1))
    expect(await bob.request('lock:acquire', { key: 'form:1', request: 'b' })).toMatchObject({ holder: { user: 'ada' } })
  })

  test('[L3] a forced release needs the right to it, and notifies the holder', async () => {
    const { as } = await start({ authorize: ({ action, user }: AuthorizeRequest) => action !== 'lock:force' || user?.id === 'root' })
    const [ada, root] = [await as('ada'), await as('root')]
    const token = await tokenOf(ada, 'form:1')
    expect(codeOf(await ada.send('lock:release', { key: 'form:1', force: true }))).toBe('FORBIDDEN')
    await root.request('lock:release', { key: 'form:1', force: true })
    await eventually(() => expect(ada.of('lock:changed')).toEqual([{ key: 'form:1', lost: token }]))
  })

  test('[L2] a write that is bound to a grant is refused once it has ended', async () => {
    const { as } = await start()
    const [ada, bob] = [await as('ada'), await as('bob')]
    const lock = { key: 'form:1', token: await tokenOf(ada, 'form:1') }
    await ada.request('storage:set', { key: 'form:1', value: { a: 1 }, lock })
    await ada.request('storage:patch', { key: 'form:1', patch: { b: 2 }, lock })
    await ada.request('storage:increment', { key: 'count', by: 1, lock })
    await ada.request('storage:remove', { key: 'count', lock })
    await ada.request('lock:release', lock)
    for (const [name, payload] of [
      ['storage:set', { value: 'lost', mutation: { number: 1 } }],
      ['storage:patch', { patch: { c: 3 } }],
      ['storage:increment', { by: 1 }],
      ['storage:remove', {}],
    ] as const) {
      expect(codeOf(await ada.send(name, { key: 'form:1', ...payload, lock }))).toBe('LOCK_LOST')
    }
    // Remembered, also after the next grant.
    await tokenOf(bob, 'form:1')
    expect(codeOf(await ada.send('storage:set', { key: 'form:1', value: 'lost', mutation: { number: 1 }, lock }))).toBe('LOCK_LOST')
    expect(await bob.request('storage:get', { key: 'form:1' })).toMatchObject({ value: { a: 1, b: 2 } })
  })

  test('[L5] keys with a required lock are written by its holder only', async () => {
    const { as, realtime } = await start({ locks: { required: ['form:*', { pattern: 'report:*', always: true }] } })
    const [ada, bob] = [await as('ada'), await as('bob')]
    const lock = { key: 'form:1', token: await tokenOf(ada, 'form:1') }
    await ada.request('storage:set', { key: 'form:1', value: 1, lock })
    for (const client of [ada, bob]) expect(codeOf(await client.send('storage:set', { key: 'form:1', value: 2 }))).toBe('LOCKED')
    // The token alone is not enough.
    expect(codeOf(await bob.send('storage:set', { key: 'form:1', value: 2, lock }))).toBe('LOCKED')
    expect(codeOf(await bob.send('storage:set', { key: 'form:2', value: 2, lock }))).toBe('LOCKED')
    await bob.request('storage:set', { key: 'form:2', value: 2 })
    await bob.request('storage:set', { key: 'other', value: 2 })
    expect(codeOf(await bob.send('storage:set', { key: 'report:1', value: 2 }))).toBe('LOCKED')
    expect(codeOf(await bob.send('storage:set', { key: 'form:1', value: 2, lock: { ...lock, token: lock.token - 1 } }))).toBe('LOCK_LOST')
    await realtime.state.set('report:1', 'by the server')
    await realtime.state.set('form:1', 'by the server')
  })
})

test('[X2] lock:read and lock:acquire are authorized by key', async () => {
  const { as } = await served({ authorize: rules({ locks: { 'form:*': { acquire: true, read: true }, 'form:secret': {} } }) })
  const ada = await as('ada')
  await tokenOf(ada, 'form:1')
  expect(codeOf(await ada.send('lock:acquire', { key: 'form:secret', request: 'r' }))).toBe('FORBIDDEN')
  expect(codeOf(await ada.send('lock:subscribe', { key: 'form:secret' }))).toBe('FORBIDDEN')
  // Not all locks below the prefix may be seen.
  expect(codeOf(await ada.send('lock:subscribe', { prefix: 'form:' }))).toBe('FORBIDDEN')
  expect(codeOf(await ada.send('lock:release', { key: 'form:1', force: true }))).toBe('FORBIDDEN')
})

test('[X2] a revocation ends locks, requests and subscriptions, with a notice each', async () => {
  const forbidden = new Set<string>()
  const { as, realtime } = await served({ authorize: ({ user }: AuthorizeRequest) => !forbidden.has(user?.id ?? '') })
  const [ada, bob] = [await as('ada'), await as('bob')]
  await tokenOf(ada, 'form:1')
  await tokenOf(bob, 'form:2')
  await ada.request('lock:acquire', { key: 'form:2', request: 'w', waitMs: 60_000 })
  await ada.request('lock:subscribe', { key: 'form:2' })
  await ada.request('lock:subscribe', { prefix: 'form:' })
  await bob.request('lock:acquire', { key: 'form:1', request: 'b', waitMs: 60_000 })
  forbidden.add('ada')
  await realtime.revoke({ user: 'ada' })
  await eventually(() => expect(bob.of('lock:granted')).toMatchObject([{ key: 'form:1' }]))
  const targets = ada.of('server:revoked').map((payload) => (payload as { target: unknown }).target)
  expect(targets).toHaveLength(4)
  expect(targets).toEqual(
    expect.arrayContaining([{ lock: 'form:1', held: true }, { lock: 'form:2', held: true }, { lock: 'form:2' }, { locks: 'form:' }]),
  )
  await bob.request('lock:release', { key: 'form:2', token: 1 })
  await bob.request('lock:cancel', { key: 'form:1', request: 'b' })
  await bob.request('lock:subscribe', { key: 'form:1' })
  expect([...ada.of('lock:changed'), ...ada.of('lock:granted')].filter((one) => (one as { lost?: number }).lost)).toEqual([])
})

test('[X5] [X6] info is limited, and checked by the schema of the key', async () => {
  const { as } = await served({ locks: { maxInfoBytes: 10 }, schema: { locks: { 'form:*': v.string() } } })
  const ada = await as('ada')
  expect(codeOf(await ada.send('lock:acquire', { key: 'form:1', request: 'r', info: '123456789' }))).toBe('TOO_LARGE')
  expect(codeOf(await ada.send('lock:acquire', { key: 'form:1', request: 'r', info: 5 }))).toBe('INVALID_VALUE')
  await ada.request('lock:acquire', { key: 'form:1', request: 'r', info: 'Ada' })
})

test('[X5] locks and requests count as subscriptions', async () => {
  const { as } = await served({ limits: { maxSubscriptions: 2 } })
  const ada = await as('ada')
  await tokenOf(ada, 'a')
  const token = await tokenOf(ada, 'b')
  expect(codeOf(await ada.send('lock:acquire', { key: 'c', request: 'r' }))).toBe('TOO_MANY_SUBSCRIPTIONS')
  await ada.request('lock:release', { key: 'b', token })
  await tokenOf(ada, 'c')
})

test('[L2] with `locks: false` messages and bound writes are refused with UNSUPPORTED', async () => {
  const { as } = await served({ locks: false })
  const ada = await as('ada')
  expect(codeOf(await ada.send('lock:acquire', { key: 'a', request: 'r' }))).toBe('UNSUPPORTED')
  expect(codeOf(await ada.send('storage:set', { key: 'a', value: 1, lock: { key: 'a', token: 1 } }))).toBe('UNSUPPORTED')
  expect(ada.of('server:hello')).toMatchObject([{ features: ['presence', 'room'] }])
})
