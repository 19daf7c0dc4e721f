import { RealtimeError, type Entry, type EntryPage } from '@tutti/protocol'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually } from '@tutti/test-kit'
import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Revocations } from '../src/authorization/revocations.ts'
import { createUserAccess } from '../src/as-user/user-access.ts'
import { createDurableLogs } from '../src/durable/durable-options.ts'
import { eventsFeature } from '../src/events/events-feature.ts'
import { createFanOut } from '../src/connection/fan-out.ts'
import { rules, type Decision, type AuditRecord, type Credentials, type AuthorizeRequest, type User } from '../src/index.ts'
import { createRooms } from '../src/connection/rooms.ts'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { Counts } from '../src/realtime-counts.ts'
import { stateFeature } from '../src/state/state-feature.ts'
import { createModelCore, ModelStore } from './model-cluster.ts'
import { serve, type Served } from './serve.ts'
import { settled } from './state-model.ts'

const authenticate = ({ token = '' }: Credentials): User => ({ id: token })
const ann = { id: 'ann' }

async function served(options: Partial<AttachRealtimeOptions> = {}): Promise<Served> {
  const server = await serve({ authenticate, ...options, state: reactiveDriver(memoryDriver()) })
  onTestFinished(() => server.close())
  return server
}

const codeOf = async (act: Promise<unknown>): Promise<unknown> => {
  try {
    return await act.then(() => 'done')
  } catch (error) {
    return error instanceof RealtimeError ? error.code : error
  }
}

describe('the user', () => {
  test('[X11] is checked like one that `authenticate` returns', async () => {
    const { realtime } = await served()
    for (const user of [undefined, {}, { id: '' }, { id: 7 }, { id: '\ud800' }, 'ann', 7] as unknown as User[]) {
      expect(() => realtime.as(user), JSON.stringify(user)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
    }
  })

  test('[X11] null has the rights of a client without a user', async () => {
    const authorize = ({ user }: AuthorizeRequest) => user === null
    const open = await served({ authenticate: undefined, authorize })
    await open.realtime.as(null).state.set('k', 1)
    expect(await open.realtime.as(null).state.get('k')).toMatchObject({ value: 1 })
    const named = await served({ authorize })
    const { state, events } = named.realtime.as(null)
    const ended: unknown[] = []
    state.watch('k', () => {}, { onEnd: ({ code }) => ended.push(code) })
    events.subscribe('c', () => {}, { onEnd: ({ code }) => ended.push(code) })
    const codes = await Promise.all([state.get('k'), state.list('k:'), state.set('k', 1), events.publish('c', 1)].map(codeOf))
    expect([...codes, ...ended]).toEqual(Array.from({ length: 6 }, () => 'UNAUTHENTICATED'))
  })

  test('[X11] [X1] whose sign-in ends may do nothing any more, and what runs ends', async () => {
    const { realtime } = await served({ authorize: () => true })
    const { state, events } = realtime.as({ ...ann, expiresAt: Date.now() + 60_000 })
    await state.set('k', 1)
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const ended: unknown[] = []
    const brief = realtime.as({ ...ann, expiresAt: Date.now() + 100 })
    brief.state.watch('k', () => {}, { onEnd: ({ code }) => ended.push(code) })
    brief.events.subscribe('*', () => {}, { onEnd: ({ code }) => ended.push(code) })
    await brief.state.get('k')
    await vi.advanceTimersByTimeAsync(101)
    expect(ended).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED'])
    expect(await Promise.all([brief.state.get('k'), brief.state.set('k', 2), brief.events.publish('c', 1)].map(codeOf))).toEqual(
      Array.from({ length: 3 }, () => 'UNAUTHENTICATED'),
    )
    expect(await state.get('k')).toMatchObject({ value: 1 })
    await events.publish('c', 1)
  })

  test('[X11] shares one budget with the user’s clients; without a user `as` has its own', async () => {
    const authorize = () => true
    const { realtime, connect } = await served({ authorize, limits: { mutationsPerSecond: 3 } })
    const client = await connect({ auth: { token: 'ann' } })
    await client.request('storage:set', { key: 'k', value: 1 })
    const { state } = realtime.as(ann)
    expect(await Promise.all([1, 2, 3].map((value) => codeOf(state.set('k', value))))).toEqual(['done', 'done', 'RATE_LIMITED'])
    expect(await client.send('storage:set', { key: 'k', value: 1 })).toMatchObject({ error: { code: 'RATE_LIMITED' } })
    expect(await codeOf(realtime.as({ id: 'ben' }).state.set('k', 1))).toBe('done')
    const open = await served({ authenticate: undefined, limits: { mutationsPerSecond: 1 } })
    const anonymous = open.realtime.as(null).state
    expect([await codeOf(anonymous.set('k', 1)), await codeOf(anonymous.set('k', 1))]).toEqual(['done', 'RATE_LIMITED'])
    expect(await codeOf(open.realtime.as(null).state.set('k', 1))).toBe('done')
    expect(open.realtime.counts).toMatchObject({ floods: 0, refusals: { RATE_LIMITED: 1 } })
  })
})

test('[X11] [X5] too many requests are refused, and close nothing', async () => {
  const { realtime } = await served({ authorize: () => true, limits: { requestsPerSecond: 1 } })
  const { state } = realtime.as(ann)
  const codes = await Promise.all(Array.from({ length: 10 }, () => codeOf(state.get('k'))))
  expect(new Set(codes.slice(2))).toEqual(new Set(['RATE_LIMITED']))
  expect(realtime.counts.floods).toBe(0)
})

test('[X11] authorize receives the user and an own connection; refusals are audited', async () => {
  const asked: AuthorizeRequest[] = []
  const records: AuditRecord[] = []
  const authorize = (question: AuthorizeRequest): Decision => {
    asked.push(question)
    return question.action !== 'state:write'
  }
  const user = { ...ann, role: 'editor' }
  const { realtime } = await served({ authorize, onAudit: (record) => records.push(record) })
  const { state } = realtime.as(user, { address: '203.0.113.7' })
  await state.get('k')
  expect(await codeOf(state.set('k', 1))).toBe('FORBIDDEN')
  expect(asked.map(({ user: seen }) => seen)).toEqual([user, user])
  for (const { connection } of asked) expect(connection).toEqual({ id: expect.stringMatching(/^\$/), clientId: undefined })
  expect(records).toEqual([
    { at: expect.any(Number), user: 'ann', address: '203.0.113.7', action: 'state:write', target: { key: 'k' }, code: 'FORBIDDEN' },
  ])
})

test('[X11] a watch receives the entry, then each change, until it is unsubscribed', async () => {
  const { realtime } = await served({ authorize: () => true })
  const { state, events } = realtime.as(ann)
  const seen: unknown[] = []
  const undo = state.watch('k', (entry) => seen.push('value' in entry ? entry.value : 'removed'))
  await state.set('k', { a: 1 })
  await state.patch('k', { b: 2 })
  await realtime.state.set('k', 'x'.repeat(20_000))
  await state.remove('k')
  await eventually(() => expect(seen).toEqual([{ a: 1 }, { a: 1, b: 2 }, 'x'.repeat(20_000), 'removed']))
  undo()
  await realtime.state.set('k', 1)
  expect(seen).toHaveLength(4)
  // Events of the user reach the user's own subscriptions, as those of `realtime.events` do.
  const heard: unknown[] = []
  const stop = events.subscribe('chat:*', ({ data }) => heard.push(data))
  await events.publish('chat:1', 'by ann')
  await realtime.events.publish('chat:2', 'by the server')
  stop()
  await realtime.events.publish('chat:1', 'too late')
  expect(heard).toEqual(['by ann', 'by the server'])
})

test('[X11] an end without `onEnd`, and a listener that throws, are reported', async () => {
  const errors: unknown[] = []
  const authorize = rules({ state: { open: { read: true } }, events: { open: { subscribe: true } } })
  const { realtime } = await served({ authorize, onError: (error, context) => errors.push([(error as Error).message, context]) })
  const { state, events } = realtime.as(ann)
  state.watch('shut', () => {})
  events.subscribe('shut', () => {})
  const fail = (): never => {
    throw new Error('a bug')
  }
  await realtime.state.set('open', 1)
  state.watch('open', fail)
  const heard: unknown[] = []
  events.subscribe('open', fail)
  events.subscribe('open', (event) => heard.push(event))
  await realtime.events.publish('open', 1)
  await eventually(() => expect(errors).toHaveLength(4))
  expect(errors).toEqual(
    expect.arrayContaining([
      [expect.any(String), { stage: 'watch', subject: 'shut' }],
      ['a bug', { stage: 'listener', subject: 'open' }],
    ]),
  )
  expect(heard).toHaveLength(1)
})

test('[X11] [C5] after close() everything is CLOSED, and watches have ended', async () => {
  const { realtime } = await served({ authorize: () => true })
  const { state, events } = realtime.as(ann)
  const ended: unknown[] = []
  state.watch('k', () => {}, { onEnd: ({ code }) => ended.push(code) })
  events.subscribe('*', () => {}, { onEnd: ({ code }) => ended.push(code) })
  const closing = realtime.close()
  expect(ended).toEqual(['CLOSED', 'CLOSED'])
  expect(await codeOf(state.get('k'))).toBe('CLOSED')
  await closing
  state.watch('k', () => {}, { onEnd: ({ code }) => ended.push(code) })
  expect(await Promise.all([realtime.as(ann).state.set('k', 1), events.publish('c', 1)].map(codeOf))).toEqual(['CLOSED', 'CLOSED'])
  expect(ended).toHaveLength(3)
})

test('[X11] [X5] subscriptions of one `as` are limited like those of a connection', async () => {
  const { realtime } = await served({ authorize: () => true, limits: { maxSubscriptions: 2 } })
  const { state, events } = realtime.as(ann)
  const ended: unknown[] = []
  const options = { onEnd: ({ code }: RealtimeError) => void ended.push(code) }
  const undo = state.watch('a', () => {}, options)
  events.subscribe('b', () => {}, options)
  state.watch('c', () => {}, options)
  expect(ended).toEqual(['TOO_MANY_SUBSCRIPTIONS'])
  undo()
  state.watch('c', () => {}, options)
  expect(ended).toHaveLength(1)
})

/** A server without sockets, whose store replies when the test requests it. */
async function createModel(answerOf: (question: AuthorizeRequest) => Decision | Promise<Decision>) {
  const rooms = createRooms()
  const asked: string[] = []
  const { core, entrances } = createModelCore((question) => {
    asked.push(Object.values(question.target).join(''))
    return answerOf(question)
  })
  const own = { ...core, fanOut: createFanOut(rooms) }
  const store = new ModelStore()
  const state = stateFeature(own, store, 0)
  const events = eventsFeature(own, { logs: createDurableLogs({}, () => undefined, own.onError), intervalMs: 0 })
  const counts = new Counts(() => 0)
  const users = createUserAccess({ core: own, entrances, rooms, counts, namesUsers: true, state, events })
  const revocations = new Revocations(own, entrances, [state.feature, events.feature])
  onTestFinished(() => state.feature.close?.())
  await revocations.ready
  const flush = async (): Promise<void> => {
    // A search for a page of readable keys continues in a turn of its own.
    do {
      await settled()
      await settled()
    } while (store.answerNext() || store.announceNext())
  }
  return { asked, store, users, revocations, flush, rooms, entrances, ...users.as(ann) }
}

describe('rights that are taken away', () => {
  const reads: [string, (model: Awaited<ReturnType<typeof createModel>>) => Promise<Entry | Entry[] | EntryPage>][] = [
    ['get', ({ state }) => state.get('p:1')],
    ['read', ({ state }) => state.read(['p:1', 'p:2'])],
    ['list', ({ state }) => state.list('p:')],
  ]

  test.each(reads)('[X11] [X2] during a %s withhold what was read', async (_, read) => {
    let isAllowed = true
    const model = await createModel(() => isAllowed)
    for (const key of ['p:1', 'p:2']) model.store.commit(key, { value: 'secret' })
    const outcome = codeOf(read(model))
    await settled()
    isAllowed = false
    await model.revocations.revoke({ user: 'ann' })
    await model.flush()
    expect(await outcome).toBe('FORBIDDEN')
  })

  test('[X11] [X2] during a listing make it the page that is allowed now', async () => {
    const shut = new Set<string>()
    const model = await createModel(({ target }) =>
      'prefix' in target ? shut.size === 0 || 'each' : 'key' in target && !shut.has(target.key),
    )
    model.store.pageSize = 2
    for (const key of ['p:1', 'p:2', 'p:3', 'p:4']) model.store.commit(key, { value: 1 })
    const page = model.state.list('p:')
    await settled()
    for (const key of ['p:1', 'p:2', 'p:4']) shut.add(key)
    await model.revocations.revoke({ user: 'ann', pattern: 'p:1' })
    await model.flush()
    expect(await page).toEqual({ entries: [{ key: 'p:3', version: 3, value: 1 }] })
  })

  test('[X11] [X2] before the first entry of a watch end it without the entry', async () => {
    let isAllowed = true
    const model = await createModel(() => isAllowed)
    model.store.commit('k', { value: 'secret' })
    const seen: unknown[] = []
    model.state.watch('k', (entry) => seen.push(entry), { onEnd: ({ code }) => seen.push(code) })
    await settled()
    isAllowed = false
    await model.revocations.revoke({ user: 'ann' })
    await model.flush()
    model.store.commit('k', { value: 'more' })
    await model.flush()
    expect(seen).toEqual(['FORBIDDEN'])
  })

  test('[X11] [X1] a sign-in that ends during a read withholds the result', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    const model = await createModel(() => true)
    const { state } = model.users.as({ ...ann, expiresAt: Date.now() + 100 })
    const outcomes = [codeOf(state.get('k')), codeOf(state.list('p:')), codeOf(state.set('k', 1))]
    await settled()
    vi.setSystemTime(Date.now() + 101)
    await model.flush()
    expect(await Promise.all(outcomes)).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'done'])
  })

  test('[X11] after unsubscribing a watch delivers nothing, at any moment of its read', async () => {
    for (let turns = 0; turns < 20; turns += 1) {
      const model = await createModel(() => true)
      model.store.commit('k', { value: 1 })
      const seen: unknown[] = []
      const undo = model.state.watch('k', (entry) => seen.push(entry), { onEnd: ({ code }) => seen.push(code) })
      await settled()
      model.store.answerNext()
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      undo()
      const before = seen.length
      await model.flush()
      expect(seen, `${turns} turns`).toHaveLength(before)
    }
  })

  test('[X11] a listing is UNAVAILABLE while `authorize` cannot decide about a key', async () => {
    const model = await createModel(({ target }) => {
      if ('prefix' in target) return 'each'
      throw new RealtimeError('UNAVAILABLE')
    })
    model.store.commit('p:1', { value: 1 })
    const page = codeOf(model.state.list('p:'))
    await model.flush()
    expect(await page).toBe('UNAVAILABLE')
  })

  test('[X11] answers are remembered while something is under way, and no longer', async () => {
    const model = await createModel(() => true)
    const both = [model.state.get('k'), model.state.get('k')]
    await model.flush()
    await Promise.all(both)
    expect(model.asked).toEqual(['k'])
    const third = model.state.get('k')
    await model.flush()
    await third
    expect(model.asked).toEqual(['k', 'k'])
  })
})

test('[X11] nothing stays of requests that were answered and of what has ended', async () => {
  const model = await createModel(({ target }) => ('pattern' in target ? 'each' : !('key' in target && target.key === 'shut')))
  const stops = [
    model.state.watch('k', () => {}),
    model.events.subscribe('c', () => {}),
    model.users.as(ann).events.subscribe('chat:*', () => {}),
    model.state.watch('shut', () => {}, { onEnd: () => {} }),
  ]
  const page = model.state.list('p:')
  await model.flush()
  await page
  await model.events.publish('chat:1', 1)
  expect([...model.entrances.all]).toHaveLength(3)
  for (const stop of stops) stop()
  await model.flush()
  expect([...model.entrances.all]).toEqual([])
  expect(model.rooms.membersOf(['$channel:chat:*'])).toEqual([])
  expect(model.rooms.isEmpty).toBe(true)
  model.store.commit('k', { value: 1 }, { large: true })
  await model.flush()
  // A key that nothing watches is not read.
  expect(model.store.asked).toEqual([['k']])
})

test('[X11] [E4] events that await authorization are published in their order', async () => {
  const answers: ((answer: Decision) => void)[] = []
  const model = await createModel(({ action }) => (action === 'event:publish' ? new Promise((resolve) => answers.push(resolve)) : true))
  const { events } = model.users.as(ann)
  const heard: unknown[] = []
  model.events.subscribe('c', ({ data }) => heard.push(data))
  const published = [1, 2].map((data) => events.publish('c', data))
  await settled()
  answers[1]?.(true)
  await settled()
  expect(heard).toEqual([])
  answers[0]?.(true)
  await Promise.all(published)
  expect(heard).toEqual([1, 2])
})
