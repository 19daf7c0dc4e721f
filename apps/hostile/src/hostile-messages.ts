import type { RequestName } from '@tutti/protocol'
import * as fc from 'fast-check'
import { hostileName } from './hostile-names.ts'

/** One message of a hostile client: a valid or invalid name, and any payload. */
export interface HostileMessage {
  readonly name: string
  readonly args: readonly unknown[]
}

const deep = (levels: number): unknown => JSON.parse('['.repeat(levels) + '1' + ']'.repeat(levels))

const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 12, arbitrary: fc.jsonValue() },
  { weight: 1, arbitrary: fc.constantFrom(deep(64), deep(65), deep(1_000)) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(9_000), 'x'.repeat(100_000)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(JSON.parse('{"__proto__":{"polluted":true}}'), { constructor: { prototype: { polluted: true } } }),
  },
)

const number = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom<unknown>(0, -1, 1e308, -1e308, Number.MAX_SAFE_INTEGER, 2 ** 53, '1', null, NaN, Infinity, 0.1),
)

const mutation = fc.record(
  { number, clientId: fc.oneof(fc.constantFrom<unknown>('c1', 'alice-client', 'a:b', '', 'x'.repeat(65)), value) },
  { requiredKeys: [] },
)

/** Mostly all fields, because complete messages get furthest. */
const anything = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.oneof({ weight: 3, arbitrary: fc.record(fields) }, { weight: 1, arbitrary: fc.record(fields, { requiredKeys: [] }) })

/** An optional field, mostly absent. */
const seldom = (field: fc.Arbitrary<unknown>) => fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: field })

const keyed = anything({ key: hostileName, version: seldom(number), extra: seldom(value) })
const many = fc.oneof(
  { weight: 20, arbitrary: fc.array(keyed, { maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constant(Array.from({ length: 1_001 }, (_, n) => ({ key: `public:${n}` }))) },
)

const lock = anything({ key: hostileName, token: number })
const lockRequest = fc.oneof(fc.constantFrom<unknown>('r1', 'r2', 'a:b', '', 'x'.repeat(65)), value)

/** The approximate payload of each message. */
const PAYLOADS: Record<RequestName, fc.Arbitrary<unknown>> = {
  'storage:get': anything({ key: hostileName }),
  'storage:subscribe': fc.oneof(
    anything({ keys: many }),
    anything({ prefix: hostileName, versions: seldom(value), after: seldom(hostileName) }),
  ),
  'storage:unsubscribe': fc.oneof(anything({ keys: many }), anything({ prefix: hostileName })),
  'storage:set': anything({
    key: hostileName,
    value,
    ifVersion: seldom(number),
    ttlMs: seldom(number),
    mutation: seldom(mutation),
    lock: seldom(lock),
  }),
  'storage:remove': anything({ key: hostileName, ifVersion: seldom(number), mutation: seldom(mutation) }),
  'storage:increment': anything({ key: hostileName, by: number, initial: seldom(number), mutation: seldom(mutation) }),
  'storage:patch': anything({ key: hostileName, patch: value, mutation: seldom(mutation), lock: seldom(lock) }),
  'event:subscribe': anything({
    channel: hostileName,
    offset: seldom(value),
    rewind: seldom(number),
    skipOwn: seldom(value),
    durable: seldom(fc.boolean()),
  }),
  'event:unsubscribe': anything({ channel: hostileName, durable: seldom(fc.boolean()) }),
  'event:publish': anything({
    channel: hostileName,
    data: value,
    includeSelf: seldom(fc.boolean()),
    id: seldom(value),
    durable: seldom(value),
  }),
  'event:history': anything({ channel: hostileName, before: seldom(value), limit: seldom(number) }),
  'document:open': anything({ document: hostileName, offset: seldom(value), stateVector: seldom(value) }),
  'document:close': anything({ document: hostileName }),
  'document:update': anything({ document: hostileName, update: seldom(value), transfer: seldom(value) }),
  'document:part': anything({ document: hostileName, transfer: value, index: number, bytes: seldom(value) }),
  'document:awareness': anything({ document: hostileName, client: number, state: value }),
  'document:versions': anything({ document: hostileName, before: seldom(number) }),
  'document:version': anything({ document: hostileName, version: number }),
  'document:save': anything({ document: hostileName, name: value }),
  'document:restore': anything({ document: hostileName, version: number }),
  'document:remove': anything({ document: hostileName, version: number }),
  'document:history': anything({ document: hostileName, before: seldom(number) }),
  'presence:join': anything({ room: hostileName, info: seldom(value), sequence: seldom(value) }),
  'presence:update': anything({ room: hostileName, info: value }),
  'presence:leave': anything({ room: hostileName }),
  'presence:subscribe': anything({ room: hostileName, count: seldom(value) }),
  'presence:unsubscribe': anything({ room: hostileName, count: seldom(value) }),
  'presence:cursor': anything({ room: hostileName, data: value }),
  'room:join': anything({ room: hostileName }),
  'room:leave': anything({ room: hostileName }),
  'lock:acquire': anything({
    key: hostileName,
    request: lockRequest,
    ttlMs: seldom(number),
    waitMs: seldom(number),
    info: seldom(value),
  }),
  'lock:cancel': anything({ key: hostileName, request: lockRequest }),
  'lock:release': fc.oneof(anything({ key: hostileName, token: number }), anything({ key: hostileName, force: value })),
  'lock:subscribe': fc.oneof(anything({ key: hostileName }), anything({ prefix: hostileName })),
  'lock:unsubscribe': fc.oneof(anything({ key: hostileName }), anything({ prefix: hostileName })),
}

const OTHER_NAMES = [
  'server:hello',
  'server:revoked',
  'storage:updated',
  'storage:',
  'storage:__proto__',
  '__proto__',
  'constructor',
  'presence:changed',
  'lock:changed',
  'room:received',
  'document:update',
  'x'.repeat(10_000),
]

const toName = fc.constantFrom(...Object.keys(PAYLOADS))

/** A message: most are nearly valid, because those get furthest. */
export const hostileMessage: fc.Arbitrary<HostileMessage> = fc.oneof(
  { weight: 12, arbitrary: fc.oneof(...Object.entries(PAYLOADS).map(([name, payload]) => payload.map((arg) => ({ name, args: [arg] })))) },
  { weight: 3, arbitrary: fc.tuple(toName, value).map(([name, arg]) => ({ name, args: [arg] })) },
  { weight: 1, arbitrary: fc.tuple(toName, fc.array(value, { maxLength: 3 })).map(([name, args]) => ({ name, args })) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...OTHER_NAMES), value).map(([name, arg]) => ({ name, args: [arg] })) },
)
