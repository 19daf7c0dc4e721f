import type * as v from 'valibot'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  RealtimeError,
  type ClientToServerEvents,
  type Entry,
  type Handshake,
  type JsonValue,
  type MutationId,
  type Notices,
  type Reply,
  type Requests,
  type ServerToClientEvents,
  type WireError,
} from '../src/index.ts'
import { anyKeyListSchema, keyListSchema } from '../src/schemas/key-list.ts'
import { handshakeSchema, parseMessage, relayedEventSchema } from '../src/schemas/index.ts'
import type { entrySchema, noticeSchemas, resultSchemas, wireErrorSchema } from './answer-schemas.ts'
import { requestSchemas } from './request-schemas.ts'

const names = Object.keys(requestSchemas) as (keyof typeof requestSchemas)[]
const schemas: [string, v.GenericSchema][] = [
  ...names.map((name): [string, v.GenericSchema] => [name, requestSchemas[name]]),
  ['an event between instances', relayedEventSchema],
]

const nest = (levels: number, wrap: (inner: unknown) => unknown) =>
  Array.from({ length: levels }).reduce((inner: unknown) => wrap(inner), 1)
const deepArray = nest(10_000, (inner) => [inner])
const deepObject = nest(10_000, (inner) => ({ key: inner, keys: [inner], channel: inner, value: inner }))

const RUBBISH: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['a string', 'todos:1'],
  ['a boolean', true],
  ['a list', []],
  ['a list of itself', ['key', 'value']],
  ['an empty object', {}],
  ['a Buffer', Buffer.from('{"key":"a"}')],
  ['an ArrayBuffer', new ArrayBuffer(8)],
  ['a function', () => ({ key: 'a' })],
  ['10,000 lists', deepArray],
  ['10,000 objects', deepObject],
  ['properties of the prototype', JSON.parse('{"__proto__":{"key":"a","keys":[],"channel":"a","value":1,"by":1,"patch":{},"data":1}}')],
  ['a constructor', JSON.parse('{"constructor":{"prototype":{"key":"a"}}}')],
  ['names that are objects', { key: {}, keys: {}, channel: {}, room: {}, info: 1, value: 1, by: 1, patch: {}, data: 1 }],
  ['names that are lists', { key: ['a'], keys: [['a']], channel: ['a'], room: ['a'], info: 1, value: 1, by: 1, patch: {}, data: 1 }],
  [
    'names of binary',
    {
      key: Buffer.from('a'),
      keys: [Buffer.from('a')],
      channel: Buffer.from('a'),
      room: Buffer.from('a'),
      value: 1,
      by: 1,
      patch: {},
      data: 1,
    },
  ],
  [
    'names of a megabyte',
    {
      key: 'a'.repeat(1_000_000),
      keys: [{ key: 'a'.repeat(1_000_000) }],
      channel: 'a'.repeat(1_000_000),
      room: 'a'.repeat(1_000_000),
      value: 1,
      by: 1,
      patch: {},
      data: 1,
    },
  ],
  [
    'names of prototypes, with a $',
    { key: '$proto', keys: [{ key: 'a$' }], channel: '{x}', room: 'a$', value: 1, by: 1, patch: {}, data: 1 },
  ],
]

/** What `act` throws; fails if that is no error with a code. */
function refusal(act: () => unknown): RealtimeError {
  try {
    act()
  } catch (error) {
    if (error instanceof RealtimeError) return error
    throw error
  }
  throw new Error('It was accepted.')
}

describe.each(schemas)('%s', (_, schema) => {
  test.each(RUBBISH)('[X4] refuses %s with a code', (_what, message) => {
    const error = refusal(() => parseMessage(schema, message))
    expect(['INVALID_MESSAGE', 'INVALID_KEY', 'INVALID_CHANNEL', 'INVALID_ROOM', 'INVALID_VALUE']).toContain(error.code)
    expect(error.retryable).toBe(false)
    expect(JSON.stringify([error.message, error.issues]).length).toBeLessThan(600)
  })
})

test('[X4] a message that is not an object is invalid as a whole', () => {
  const { message, issues } = refusal(() => parseMessage(requestSchemas['storage:get'], 7))
  expect(message).toBe('Invalid message: see `issues`.')
  expect(issues).toMatchObject([{ path: '' }])
})

describe('storage messages', () => {
  const good = {
    'storage:set': { key: 'a', value: 1 },
    'storage:remove': { key: 'a' },
    'storage:increment': { key: 'a', by: 1 },
    'storage:patch': { key: 'a', patch: {} },
  } as const
  const writes = Object.keys(good) as (keyof typeof good)[]
  const parse = (name: keyof typeof requestSchemas, message: unknown): unknown => parseMessage<unknown>(requestSchemas[name], message)

  test.each(writes)('[X4] %s without its own field is refused', (name) => {
    for (const field of Object.keys(good[name])) {
      const { [field as 'key']: _, ...rest } = good[name]
      expect(refusal(() => parse(name, rest))).toMatchObject({ code: 'INVALID_MESSAGE', issues: [{ path: field }] })
    }
  })

  test.each(writes)('[X4] unknown fields of %s are dropped', (name) => {
    const sent = JSON.parse(JSON.stringify({ ...good[name], newer: { than: 'this' }, writer: 'me', author: { user: 'root' } }))
    expect(parse(name, sent)).toStrictEqual(good[name])
    expect(parse(name, { ...good[name], mutation: { number: 1, user: 'root' } })).toStrictEqual({ ...good[name], mutation: { number: 1 } })
  })

  test.each(writes)('[S12] %s accepts mutation numbers from 1 on, and a clientId', (name) => {
    for (const mutation of [
      { number: 1 },
      { number: Number.MAX_SAFE_INTEGER, clientId: 'A-z_09' },
      { number: 2, clientId: 'x'.repeat(64) },
    ]) {
      expect(parse(name, { ...good[name], mutation })).toHaveProperty('mutation', mutation)
    }
    const bad: unknown[] = [
      null,
      1,
      {},
      [],
      { number: 0 },
      { number: -1 },
      { number: 1.5 },
      { number: '1' },
      { number: 2 ** 53 },
      { number: null },
    ]
    const ids: unknown[] = ['', 'x'.repeat(65), 'a:b', 'a b', 'é', 'a\n', 'a$', 1, null, {}]
    for (const mutation of [...bad, ...ids.map((clientId) => ({ number: 1, clientId }))]) {
      expect(refusal(() => parse(name, { ...good[name], mutation })).code).toBe('INVALID_MESSAGE')
    }
  })

  test.each(['storage:set', 'storage:remove'] as const)('[S6] ifVersion of %s is a whole number from 0 on', (name) => {
    for (const ifVersion of [0, 1, Number.MAX_SAFE_INTEGER])
      expect(parse(name, { ...good[name], ifVersion })).toHaveProperty('ifVersion', ifVersion)
    for (const ifVersion of [-1, 0.5, '1', null, 2 ** 53, Number.NaN]) {
      expect(refusal(() => parse(name, { ...good[name], ifVersion }))).toMatchObject({
        code: 'INVALID_MESSAGE',
        issues: [{ path: 'ifVersion' }],
      })
    }
  })

  test('[S18] ttlMs is a whole number from 1 on', () => {
    expect(parse('storage:set', { key: 'a', value: 1, ttlMs: 1 })).toHaveProperty('ttlMs', 1)
    for (const ttlMs of [0, -1, 1.5, '1', null, 2 ** 53])
      expect(refusal(() => parse('storage:set', { key: 'a', value: 1, ttlMs })).code).toBe('INVALID_MESSAGE')
  })

  test('[S7] by and initial are finite numbers', () => {
    expect(parse('storage:increment', { key: 'a', by: -1.5, initial: 0 })).toStrictEqual({ key: 'a', by: -1.5, initial: 0 })
    for (const bad of ['1', null, Number.NaN, Number.POSITIVE_INFINITY, 1n]) {
      expect(refusal(() => parse('storage:increment', { key: 'a', by: bad })).code).toBe('INVALID_MESSAGE')
      expect(refusal(() => parse('storage:increment', { key: 'a', by: 1, initial: bad })).code).toBe('INVALID_MESSAGE')
    }
  })

  test('[S8] a patch is an object', () => {
    for (const patch of [null, 1, 'a', [], [{}]])
      expect(refusal(() => parse('storage:patch', { key: 'a', patch }))).toMatchObject({ code: 'INVALID_MESSAGE' })
    expect(refusal(() => parse('storage:patch', { key: 'a', patch: { b: Buffer.from('a') } })).code).toBe('INVALID_VALUE')
  })

  test('[X4] values and data are JSON of at most 64 levels', () => {
    for (const bad of [Buffer.from('a'), [new Uint8Array(1)], Number.NaN, deepArray, nest(65, (inner) => [inner])]) {
      expect(refusal(() => parse('storage:set', { key: 'a', value: bad })).code).toBe('INVALID_VALUE')
      expect(refusal(() => parse('event:publish', { channel: 'a', data: bad })).code).toBe('INVALID_VALUE')
    }
    const deepest = nest(64, (inner) => [inner])
    expect(parse('storage:set', { key: 'a', value: deepest })).toStrictEqual({ key: 'a', value: deepest })
  })

  test('[S10] null is a value, a missing one is not', () => {
    expect(parse('storage:set', { key: 'a', value: null })).toStrictEqual({ key: 'a', value: null })
    expect(refusal(() => parse('storage:set', { key: 'a' })).code).toBe('INVALID_MESSAGE')
    expect(refusal(() => parse('event:publish', { channel: 'a' })).code).toBe('INVALID_MESSAGE')
  })

  test('[X4] a property named __proto__ in a value stays data', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":1}}')
    expect(JSON.stringify(parse('storage:set', { key: 'a', value }))).toBe('{"key":"a","value":{"__proto__":{"polluted":1}}}')
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('[C2] keys to subscribe may carry the known version', () => {
    expect(parse('storage:subscribe', { keys: [] })).toStrictEqual({ keys: [] })
    for (const version of [-1, 1.5, '1', null]) {
      expect(refusal(() => parse('storage:subscribe', { keys: [{ key: 'a' }, { key: 'b', version }] }))).toMatchObject({
        issues: [{ path: 'keys.1.version' }],
      })
    }
    for (const keys of ['a', ['a'], [null], {}, { 0: { key: 'a' }, length: 1 }]) {
      expect(refusal(() => parse('storage:subscribe', { keys })).code).toBe('INVALID_MESSAGE')
      expect(refusal(() => parse('storage:unsubscribe', { keys })).code).toBe('INVALID_MESSAGE')
    }
  })

  test('[X4] a list of keys has the same result by schema and by hand', () => {
    const keys: unknown[] = ['a', 'a:b', 'ü', 'a'.repeat(256), 'a'.repeat(257), '', ':', '$', 'a/b', '\ud800', 7, null, undefined]
    const versions: unknown[] = [undefined, 0, 1, 2 ** 53 - 1, 2 ** 53, -0, -1, 0.5, Number.NaN, '1', null, {}]
    const items = [
      ...keys.map((key) => ({ key })),
      ...versions.map((version) => ({ key: 'a', version })),
      ...[{ key: 'a', newer: 1 }, { key: 'a', version: 1, newer: 1 }, JSON.parse('{"key":"a","__proto__":1}'), ['a'], 'a', null],
    ]
    const lists = items.flatMap((item): unknown[] => [{ keys: [item] }, { keys: [{ key: 'b' }, item] }, { keys: [item], newer: 1 }])
    const outcomeOf = (schema: v.GenericSchema, message: unknown): unknown => {
      try {
        return parseMessage(schema, message)
      } catch (error) {
        return error
      }
    }
    for (const list of lists) expect(outcomeOf(keyListSchema, list)).toStrictEqual(outcomeOf(anyKeyListSchema, list))
  })

  test('[S17] a prefix carries its known versions and the last key of the page before', () => {
    const known = { 'a:b': 1, 'a:c:d': 0 }
    for (const message of [{ prefix: 'a:' }, { prefix: 'a:', versions: known }, { prefix: 'a:', versions: {}, after: 'a:b' }]) {
      expect(parse('storage:subscribe', { ...message, newer: 1 })).toStrictEqual(message)
    }
    expect(parse('storage:unsubscribe', { prefix: 'a:b:', newer: 1 })).toStrictEqual({ prefix: 'a:b:' })
    for (const prefix of ['a', ':', '', 'a*:', 'a$:', 7, null]) {
      expect(refusal(() => parse('storage:subscribe', { prefix })).code).toBe('INVALID_KEY')
      expect(refusal(() => parse('storage:unsubscribe', { prefix })).code).toBe('INVALID_KEY')
    }
  })

  test('[X3] only keys below the prefix can be named with it', () => {
    for (const key of ['b', 'a', 'a:', 'ab:c', 'a:$', 'a:b/c', '']) {
      expect(refusal(() => parse('storage:subscribe', { prefix: 'a:', versions: { [key]: 1 } })).code).toBe('INVALID_MESSAGE')
      expect(['INVALID_MESSAGE', 'INVALID_KEY']).toContain(refusal(() => parse('storage:subscribe', { prefix: 'a:', after: key })).code)
    }
    for (const versions of [1, 'a', null, { 'a:b': -1 }, { 'a:b': '1' }, { 'a:b': 0.5 }])
      expect(refusal(() => parse('storage:subscribe', { prefix: 'a:', versions })).code).toBe('INVALID_MESSAGE')
  })

  test('[X4] the same list of keys has the same result each time', () => {
    const [plain, invalid] = [{ keys: [{ key: 'a' }] }, { keys: [{ key: 'a', version: -1 }] }]
    for (let time = 0; time < 2; time += 1) {
      expect(parse('storage:subscribe', plain)).toStrictEqual(plain)
      for (let again = 0; again < 2; again += 1) expect(refusal(() => parse('storage:subscribe', invalid)).code).toBe('INVALID_MESSAGE')
    }
  })

  test('[X4] a megabyte of invalid keys is refused at the first of them', () => {
    const error = refusal(() => parse('storage:subscribe', { keys: Array.from({ length: 300_000 }, () => ({})) }))
    expect(error).toMatchObject({ code: 'INVALID_MESSAGE', issues: [{ path: 'keys.0.key' }] })
    expect(error.issues).toHaveLength(1)
  })
})

describe('event messages', () => {
  test('[E3] patterns can be subscribed to and not published on', () => {
    expect(parseMessage(requestSchemas['event:subscribe'], { channel: 'chat:*' })).toStrictEqual({ channel: 'chat:*' })
    expect(refusal(() => parseMessage(requestSchemas['event:publish'], { channel: 'chat:*', data: 1 })).code).toBe('INVALID_CHANNEL')
    expect(refusal(() => parseMessage(relayedEventSchema, { channel: '*', data: 1 })).code).toBe('INVALID_CHANNEL')
    expect(refusal(() => parseMessage(requestSchemas['event:subscribe'], { channel: 'a*' })).code).toBe('INVALID_CHANNEL')
  })

  test('[E2] includeSelf is a boolean', () => {
    expect(parseMessage(requestSchemas['event:publish'], { channel: 'a', data: 1, includeSelf: true })).toHaveProperty('includeSelf', true)
    for (const includeSelf of ['true', 1, null]) {
      expect(refusal(() => parseMessage(requestSchemas['event:publish'], { channel: 'a', data: 1, includeSelf })).code).toBe(
        'INVALID_MESSAGE',
      )
    }
  })
})

describe('the handshake', () => {
  test('[X4] every field is optional', () => expect(parseMessage(handshakeSchema, {})).toStrictEqual({}))

  test.each([
    [null],
    ['a'],
    [{ protocol: '1' }],
    [{ clientId: 'a b' }],
    [{ clientId: '' }],
    [{ clientId: 7 }],
    [{ token: {} }],
    [{ features: 'presence' }],
    [{ features: [1] }],
  ])('[X4] %j is refused', (auth) => expect(refusal(() => parseMessage(handshakeSchema, auth)).code).toBe('INVALID_MESSAGE'))

  test('[X4] unknown fields are dropped', () => {
    expect(parseMessage(handshakeSchema, { protocol: 1, admin: true })).toStrictEqual({ protocol: 1 })
  })
})

test('[X4] the quoted input in an issue is truncated', () => {
  const error = refusal(() => parseMessage(requestSchemas['storage:remove'], { key: 'a', ifVersion: 'x'.repeat(1_000_000) }))
  expect(error.issues).toStrictEqual([{ path: 'ifVersion', message: expect.stringMatching(/^Invalid type: .{186}$/) }])
})

test('[protocol] the types of requests equal the results of the schemas', () => {
  expectTypeOf<Requests['storage:set']['payload']['value']>().toEqualTypeOf<JsonValue>()
  expectTypeOf<Requests['storage:get']['payload']>().toEqualTypeOf<{ key: string }>()
  expectTypeOf<Requests['event:publish']['payload']['data']>().toEqualTypeOf<JsonValue>()
  expectTypeOf<Requests['storage:set']['payload']['mutation']>().toEqualTypeOf<MutationId | undefined>()
  expectTypeOf<Handshake>().toHaveProperty('features').toEqualTypeOf<string[] | undefined>()
  expectTypeOf<keyof Requests>().toEqualTypeOf<keyof typeof requestSchemas>()
})

test('[protocol] the types of replies equal the results of the fixture schemas', () => {
  type Results = { [Name in keyof typeof resultSchemas]: v.InferOutput<(typeof resultSchemas)[Name]> }
  type Sent = { [Name in keyof typeof noticeSchemas]: v.InferOutput<(typeof noticeSchemas)[Name]> }
  expectTypeOf<v.InferOutput<typeof entrySchema>>().toEqualTypeOf<Entry>()
  expectTypeOf<v.InferOutput<typeof wireErrorSchema>>().toEqualTypeOf<WireError>()
  expectTypeOf<Results['storage:increment']>().toEqualTypeOf<Requests['storage:increment']['result']>()
  expectTypeOf<Results['storage:patch']>().toEqualTypeOf<Requests['storage:patch']['result']>()
  expectTypeOf<Results['storage:set']>().toEqualTypeOf<Requests['storage:set']['result']>()
  expectTypeOf<Results['storage:remove']>().toEqualTypeOf<Requests['storage:remove']['result']>()
  expectTypeOf<Results['storage:subscribe']>().toEqualTypeOf<Requests['storage:subscribe']['result']>()
  expectTypeOf<Sent['server:draining']>().toEqualTypeOf<Notices['server:draining']>()
  expectTypeOf<Sent['server:status']>().toEqualTypeOf<Notices['server:status']>()
  expectTypeOf<Sent['server:revoked']>().toEqualTypeOf<Notices['server:revoked']>()
  expectTypeOf<Sent['event:received']>().toEqualTypeOf<Notices['event:received']>()
  // A union beside an intersection, and limits that are read-only: each assignable to the other.
  expectTypeOf<Sent['server:hello']>().toExtend<Notices['server:hello']>()
  expectTypeOf<Notices['server:hello']>().toExtend<Sent['server:hello']>()
  expectTypeOf<Sent['storage:updated']>().toExtend<Notices['storage:updated']>()
  expectTypeOf<Notices['storage:updated']>().toExtend<Sent['storage:updated']>()
})

test('[protocol] the field ok discriminates replies', () => {
  const reply = { ok: true, version: 1 } as Reply<{ version: number }>
  if (reply.ok) expectTypeOf(reply.version).toEqualTypeOf<number>()
  else expectTypeOf(reply.error).toEqualTypeOf<WireError>()
  expectTypeOf<Parameters<ClientToServerEvents['storage:get']>[0]>().toEqualTypeOf<{ key: string }>()
  expectTypeOf<Parameters<Parameters<ClientToServerEvents['storage:set']>[1]>[0]>().toEqualTypeOf<Reply<{ version: number }>>()
  expectTypeOf<Parameters<ServerToClientEvents['storage:updated']>>().toEqualTypeOf<[Notices['storage:updated']]>()
})
