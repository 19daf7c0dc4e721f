import { isKey } from '@tutti/protocol'
import { RealtimePubSub } from '@tutti/pubsub'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { startRedis, type TestRedis } from '@tutti/test-kit'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { awkwardName } from './awkward-names.ts'
import { witness, type RedisWitness } from './redis-witness.ts'
import { serve, type Served } from './serve.ts'

// X3: for any name in a message, only the data below the base under exactly that name is read or written.

const SECRET = 'not for clients'
const USERS = ['ann', '', 'a}$', '*', 'x:y', '{tutti:a}$m:ann:c1', '../b', 'ключ']

/** Data of other applications in the same Redis, and data beside keys. */
const OTHERS = [
  ...[
    'other:secret',
    'a',
    '',
    'tutti',
    'tutti:',
    'tuttix:a',
    'Tutti:a',
    'TUTTI:A',
    ' tutti:a',
    'tutti::a',
    'tutti:a:',
    'tutti:*',
    'tutti:{a}',
  ],
  ...[
    'tutti:a$',
    'tutti:a/b',
    'tutti:a?',
    'tutti:../other',
    '{tutti:a}$meta',
    '{tutti:todos:1}$meta',
    '{tutti:a}$m:eve:c9',
    'tutti$secret',
  ],
  ...['tutti:$index', 'tutti:a\u0000', 'tutti:__proto__$', 'tutti:a}$', '{other}:secret', 'tutti:${a}', 'tutti:x\\y'],
]

let redis: TestRedis
let seen: RedisWitness
let served: Served

beforeAll(async () => {
  redis = await startRedis()
  seen = await witness(redis)
  for (const name of OTHERS) await seen.client.set(name, JSON.stringify(SECRET))
  const pubsub = new RealtimePubSub({ url: redis.url })
  const state = reactiveRedisDriver({ pubsub })
  const authenticate = ({ token = '' }) => ({ id: `u${token}` })
  served = await serve({ pubsub, state, authenticate, reconcileIntervalMs: 0, onError: () => {} })
})

afterAll(async () => {
  await served.close()
  seen.close()
  await redis.stop()
})

/** Every message of the wire, with the name in every place where one can stand. */
const messages = (name: string): [string, object][] => [
  ['storage:get', { key: name }],
  ['storage:subscribe', { keys: [{ key: name }] }],
  ['storage:subscribe', { keys: [{ key: name, version: 1 }] }],
  ['storage:subscribe', { prefix: name }],
  ['storage:subscribe', { prefix: `${name}:` }],
  ['storage:subscribe', { prefix: 'todos:', after: name }],
  ['storage:subscribe', { prefix: 'todos:', versions: Object.fromEntries([[name, 1]]) }],
  ['storage:set', { key: name, value: 1 }],
  ['storage:set', { key: name, value: { [name]: name }, ttlMs: 3_600_000, mutation: { number: 1 } }],
  ['storage:set', { key: name, value: 2, ifVersion: 0, mutation: { number: 2, clientId: name } }],
  ['storage:patch', { key: name, patch: JSON.parse(JSON.stringify({ [name]: 1, ['__proto__']: { polluted: 1 } })) }],
  ['storage:increment', { key: name, by: 1, mutation: { number: 3, clientId: 'other' } }],
  ['storage:remove', { key: name }],
  ['storage:unsubscribe', { keys: [{ key: name }] }],
  ['storage:unsubscribe', { prefix: `${name}:` }],
  ['event:subscribe', { channel: name }],
  ['event:subscribe', { channel: `${name}:*` }],
  ['event:publish', { channel: name, data: name, includeSelf: true, id: 'same' }],
  ['event:history', { channel: name, limit: 1 }],
  ['event:unsubscribe', { channel: name }],
  ['presence:join', { room: name, info: name }],
  ['presence:subscribe', { room: name }],
  ['presence:update', { room: name, info: { [name]: 1 } }],
  ['presence:cursor', { room: name, data: name }],
  ['presence:unsubscribe', { room: name }],
  ['presence:leave', { room: name }],
]

/** All keys that a message with this name may access, including those below it as a prefix. */
const within = (name: string, user: string): string[] =>
  !isKey(name)
    ? []
    : [
        `tutti:${name}`,
        `{tutti:${name}}$`,
        ...['me', 'other', name].map((clientId) => `{tutti:${name}}$m:${encodeURIComponent(user)}:${encodeURIComponent(clientId)}`),
      ]

/** Rooms that were named so far: members leave after the client that joined. */
const rooms = new Set<string>()

/** What the instance itself keeps of leases, and what belongs to rooms that a client named. */
const isOfPresence = (name: string): boolean => {
  if (/^\{tutti\$instances:all\}\$\w+$|^\{tutti\$instance:[\w.-]+\}\$holds$/.test(name)) return true
  const room = /^\{tutti\$room:(.*)\}\$(?:members|version|counted)$/s.exec(name)?.[1] ?? /^tutti:\$room:(.*)$/s.exec(name)?.[1]
  return room !== undefined && isKey(room) && rooms.has(room)
}

const CHANNELS = ['tutti:watch', 'tutti:events']
const INDEX = 'tutti$index'

const asked = fc.record({
  user: fc.constantFrom(...USERS),
  requests: fc.array(fc.tuple(awkwardName, fc.nat({ max: messages('').length - 1 })), { minLength: 1, maxLength: 12 }),
})

test('[X3] [S19] any name in a message accesses only its own key in Redis', async () => {
  let requestCount = 0
  const outcomes = new Map<string, number>()
  const property = fc.asyncProperty(asked, async ({ user, requests }) => {
    const client = await served.connect({ auth: { token: user, clientId: 'me' } })
    const before = await seen.contents()
    const indexed = new Set(await seen.client.zrange(INDEX, 0, -1))
    await seen.touched()
    const replies = []
    for (const [name, place] of requests) {
      const [message = '', payload = {}] = messages(name)[place] ?? []
      const reply = await client.send(message, payload)
      const outcome = reply.ok ? 'done' : reply.error.code
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
      requestCount += 1
      if ('room' in payload) rooms.add(name)
      replies.push(reply)
      if ('key' in payload && !isKey(name)) expect(reply).toMatchObject({ ok: false, error: { code: 'INVALID_KEY' } })
    }
    const touched = await seen.touched()
    const after = await seen.contents()
    const nowIndexed = new Set(await seen.client.zrange(INDEX, 0, -1))
    client.socket.disconnect()

    const names = requests.map(([name]) => name)
    const prefixes = [...names.filter((name) => name.endsWith(':')), ...names.map((name) => `${name}:`), 'todos:'].filter((name) =>
      isKey(name.slice(0, -1)),
    )
    const allowed = new Set([...names.flatMap((name) => within(name, `u${user}`)), ...CHANNELS, INDEX])
    const keysBelow = [...nowIndexed].filter((key) => prefixes.some((prefix) => key.startsWith(prefix)))
    const readable = new Set([...allowed, ...keysBelow.flatMap((key) => within(key, `u${user}`))])

    // Written: nothing but what was named.
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter((name) => before.get(name) !== after.get(name))
    expect(changed.filter((name) => !allowed.has(name) && !isOfPresence(name))).toEqual([])
    expect([...nowIndexed, ...indexed].filter((key) => indexed.has(key) !== nowIndexed.has(key) && !names.includes(key))).toEqual([])
    // Keys accessed in Redis: only those.
    expect([...touched].filter((name) => !readable.has(name) && !isOfPresence(name))).toEqual([])
    // Data sent: only for those names, and no secret.
    const told = JSON.stringify([replies, client.received])
    expect(told).not.toContain(SECRET)
    for (const key of told.matchAll(/"key":("(?:[^"\\]|\\.)*")/g)) expect(isKey(JSON.parse(key[1] ?? ''))).toBe(true)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })
  await fc.assert(property, { numRuns: 150 })
  console.log(`${requestCount} requests: ${JSON.stringify(Object.fromEntries([...outcomes].toSorted(([, a], [, b]) => b - a)))}`)
  // Keys as well as what is none were drawn.
  expect(outcomes.get('done')).toBeGreaterThan(100)
  expect(outcomes.get('INVALID_KEY')).toBeGreaterThan(100)
})

test('[X3] [S12] only a user itself reaches its memory of mutations, for any names', async () => {
  const clients = await Promise.all(USERS.map((token) => served.connect({ auth: { token, clientId: 'same' } })))
  onTestFinished(() => clients.forEach(({ socket }) => socket.disconnect()))
  for (const [index, client] of clients.entries()) {
    const reply = await client.request('storage:increment', { key: 'remembered', by: 1, mutation: { number: 1 } })
    expect(reply).toMatchObject({ value: index + 1 })
  }
  const memories = await seen.client.keys('{tutti:remembered}$m:*')
  expect(memories).toHaveLength(USERS.length)
})
