// oxlint-disable unicorn/no-thenable -- Thenables are what is tested.
import { RealtimeError, type RealtimeSchema } from '@tutti/protocol'
import { reactiveDriver } from '@tutti/storage-driver'
import { collectFatalErrors, eventually } from '@tutti/test-kit'
import { revokedProxy, thrower } from '@tutti/test-kit/odd-values'
import memoryDriver from 'unstorage/drivers/memory'
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { codeOf, connectPlain, serve, type Served } from './serve.ts'

/** Throws anything at all, as plain JavaScript can. */
const raise = (thrown: unknown) => (): never => {
  throw thrown
}

/** Awaited like a promise, such as the queries of a database. */
const thenable = (run: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void): object =>
  Object.defineProperty({}, 'then', { value: run })

/** What a callback may return or throw in plain JavaScript. */
const ODD: Readonly<Record<string, () => unknown>> = {
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  0: () => 0,
  NaN: () => Number.NaN,
  text: () => 'text',
  '1n': () => 1n,
  symbol: () => Symbol('odd'),
  function: () => thrower,
  'empty object': () => ({}),
  list: () => [],
  'a getter that throws': () => Object.defineProperty({}, 'then', { get: thrower }),
  'a revoked proxy': revokedProxy,
  'a promise that rejects': () => Promise.reject(new Error('rejected')),
  'a promise that rejects with nothing': async () => raise(undefined)(),
  'a promise of a revoked proxy': () => Promise.resolve({ user: revokedProxy() }),
  'a thenable that rejects': () => thenable((_, reject) => reject(new Error('thenable'))),
  'a thenable that throws': () => thenable(thrower),
  'throws an Error': thrower,
  'throws undefined': raise(undefined),
  'throws text': raise('text'),
  'throws a revoked proxy': raise(revokedProxy()),
  'throws a code': raise(new RealtimeError('UNAVAILABLE')),
  'user: 1n': () => ({ id: 'ann', expiresAt: 1n }),
  'user: far 1n': () => ({ id: 'ann', expiresAt: 10n ** 15n }),
  'user: text': () => ({ id: 'ann', expiresAt: '9999999999999' }),
  'user: Date': () => ({ id: 'ann', expiresAt: new Date(Date.now() + 60_000) }),
  'user: NaN': () => ({ id: 'ann', expiresAt: Number.NaN }),
  'user: null': () => ({ id: 'ann', expiresAt: null }),
  'user: number as id': () => ({ id: 1 }),
  'user: getter as id': () => Object.defineProperty({}, 'id', { get: thrower }),
  'answer: 1n': () => ({ allow: true, forMs: 1n }),
  'answer: text': () => ({ allow: true, forMs: '5' }),
  'answer: NaN': () => ({ allow: true, forMs: Number.NaN }),
  'answer: -1': () => ({ allow: true, forMs: -1 }),
  'answer: getter': () => Object.defineProperty({}, 'allow', { get: thrower, enumerable: true }),
  'issues: null': () => ({ issues: null }),
  'issues: text': () => ({ issues: 'text' }),
  'issues: [null]': () => ({ issues: [null] }),
  'issues: odd path': () => ({ issues: [{ message: 1n, path: [Symbol('odd'), null, 1n] }] }),
}

const names = Object.keys(ODD)
const odd = (name: string): never => ODD[name]?.() as never

const { errors: fatal, stop } = collectFatalErrors()
afterAll(stop)

async function served(options: Partial<AttachRealtimeOptions>): Promise<Served> {
  fatal.length = 0
  const server = await serve(options)
  onTestFinished(() => server.close())
  return server
}

/** Everything that a rejected promise can set off has happened. */
const settled = async (): Promise<void> => {
  await new Promise((resolve) => setImmediate(resolve))
  expect(fatal).toEqual([])
}

describe('callbacks that return or throw odd values', () => {
  test('[X10] the process continues: authenticate', async () => {
    const reported: unknown[] = []
    const { url } = await served({
      authenticate: ({ token = '' }) => (token === 'good' ? { id: 'ann' } : odd(token)),
      onError: (_, { stage }) => reported.push(stage),
    })
    const outcome = async (token: string): Promise<unknown> => {
      try {
        const client = await connectPlain(url, { auth: { token } })
        client.socket.disconnect()
        return 'let in'
      } catch (error) {
        return (error as { data?: { code?: string } }).data?.code
      }
    }
    const outcomes: Record<string, unknown> = {}
    for (const name of names) outcomes[name] = await outcome(name)
    expect(
      Object.entries(outcomes).filter(([, code]) => !['UNAUTHENTICATED', 'INTERNAL', 'UNAVAILABLE', 'let in'].includes(String(code))),
    ).toEqual([])
    // Objects with an `id`, or whose end has not come, are users: all others are refused.
    expect(Object.keys(outcomes).filter((name) => outcomes[name] === 'let in')).toEqual([])
    expect(outcomes).toMatchObject({
      'user: 1n': 'INTERNAL',
      'user: far 1n': 'INTERNAL',
      'user: text': 'INTERNAL',
      'user: Date': 'INTERNAL',
    })
    expect(new Set(reported)).toEqual(new Set(['authenticate']))
    expect(await outcome('good')).toBe('let in')
    await settled()
  })

  test('[X10] the process continues: authorize', async () => {
    const reported: unknown[] = []
    const { url } = await served({
      authorize: ({ target }) => ('key' in target && target.key !== 'good' ? odd(names[Number(target.key.slice(1))] ?? '') : true),
      onError: (_, { stage }) => reported.push(stage),
    })
    const client = await connectPlain(url)
    const outcomes: Record<string, unknown> = {}
    for (const [index, name] of names.entries()) {
      const read = await client.send('storage:get', { key: `k${index}` })
      const written = await client.send('storage:set', { key: `k${index}`, value: 1 })
      outcomes[name] = [read, written].map((reply) => (reply.ok ? 'allowed' : codeOf(reply)))
    }
    expect(Object.keys(outcomes).filter((name) => String(outcomes[name]).includes('allowed'))).toEqual(['true'])
    expect(outcomes).toMatchObject({
      'answer: 1n': ['INTERNAL', 'INTERNAL'],
      'answer: text': ['INTERNAL', 'INTERNAL'],
      'throws a code': ['UNAVAILABLE', 'UNAVAILABLE'],
    })
    expect(outcomes).toMatchObject({ 'a thenable that rejects': ['INTERNAL', 'INTERNAL'], null: ['FORBIDDEN', 'FORBIDDEN'] })
    expect(reported).toContain('handler')
    expect((await client.send('storage:get', { key: 'good' })).ok).toBe(true)
    client.socket.disconnect()
    await settled()
  })

  test('[X2] a query of another library is awaited like a promise', async () => {
    const query = thenable((resolve) => resolve(true))
    const { url } = await served({ authorize: () => query as never })
    const client = await connectPlain(url)
    expect((await client.send('storage:set', { key: 'a', value: 1 })).ok).toBe(true)
    client.socket.disconnect()
  })

  test('[X10] the process continues: schemas', async () => {
    const schemaFor = (name: string) => ({ '~standard': { version: 1 as const, vendor: 'odd', validate: () => odd(name) } })
    const schema: RealtimeSchema = {
      state: Object.fromEntries(names.map((name, index) => [`k${index}`, schemaFor(name)])),
      events: Object.fromEntries(names.map((name, index) => [`k${index}`, schemaFor(name)])),
    }
    const { url, realtime } = await served({ schema, onError: () => {} })
    const client = await connectPlain(url)
    const outcomes: Record<string, unknown> = {}
    for (const [index, name] of names.entries()) {
      const key = `k${index}`
      const replies = [
        await client.send('storage:set', { key, value: 1 }),
        await client.send('storage:patch', { key, patch: { a: 1 } }),
        await client.send('event:publish', { channel: key, data: 1 }),
      ]
      outcomes[name] = replies.map((reply) => (reply.ok ? 'stored' : codeOf(reply)))
      await realtime.state.set(key, 1).catch(() => {})
    }
    // Results without `issues` are valid, according to Standard Schema. None of these was a promise.
    const stored = Object.keys(outcomes).filter((name) => String(outcomes[name]).includes('stored'))
    expect(stored.filter((name) => /promise|thenable|throws|proxy|issues/.test(name))).toEqual([])
    expect(outcomes).toMatchObject({ 'issues: null': ['INTERNAL', 'INTERNAL', 'INTERNAL'] })
    client.socket.disconnect()
    await settled()
  })

  test('[X10] the process continues: onError, onAudit, onWarning, listeners and onEnd', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => void vi.restoreAllMocks())
    let turn = 0
    const next = (): never => odd(names[(turn += 1) % names.length] ?? '')
    const { url, realtime } = await served({
      authorize: () => {
        throw new Error('for onError')
      },
      onError: next,
      onAudit: next,
      auditAllowed: true,
      onWarning: next,
    })
    for (const name of names) {
      realtime.state.watch('a', () => odd(name))
      realtime.events.subscribe('b', () => odd(name))
      realtime.as({ id: 'ann' }).state.watch('a', () => {}, { onEnd: () => odd(name) })
      realtime.as({ id: 'ann' }).events.subscribe('b', () => {}, { onEnd: () => odd(name) })
    }
    const client = await connectPlain(url)
    for (let round = 0; round < names.length; round += 1) {
      await realtime.state.set('a', round)
      await realtime.events.publish('b', round)
      expect(codeOf(await client.send('storage:get', { key: 'a' }))).toBe('INTERNAL')
    }
    await eventually(() => expect(turn).toBeGreaterThan(4 * names.length))
    client.socket.disconnect()
    await settled()
  })

  test('[X10] the process continues: now', async () => {
    for (const name of names) {
      const store = reactiveDriver(memoryDriver(), { now: () => odd(name) })
      const outcome = await store.write({ op: 'set', key: 'a', value: 1, ttlMs: 5 }).then(
        () => 'written',
        () => 'refused',
      )
      expect([name, outcome]).toEqual([name, name === '0' ? 'written' : 'refused'])
      await store.dispose()
    }
    await settled()
  })
})
