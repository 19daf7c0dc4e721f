import * as v from 'valibot'
import { ERROR_CODES, type ErrorCode, type NoticeName, type Notices, type RequestName, type Requests } from '../src/index.ts'
import { patchSchema, valueSchema } from '../src/schemas/values.ts'

// Messages of servers have only types, because clients do not parse them. These schemas are the same at run time: they validate
// the fixtures and detect a changed shape. `messages.test.ts` proves that they equal the types.

const code = v.custom<ErrorCode>((value) => ERROR_CODES.some((known) => known === value))

export const entrySchema = v.union([
  v.strictObject({ key: v.string(), version: v.number(), value: valueSchema }),
  v.strictObject({ key: v.string(), version: v.number(), removed: v.literal(true) }),
])

export const wireErrorSchema = v.strictObject({
  code,
  message: v.string(),
  retryable: v.boolean(),
  retryAfterMs: v.exactOptional(v.number()),
  entry: v.exactOptional(entrySchema),
  issues: v.exactOptional(v.array(valueSchema)),
})

const bytes = v.union([v.string(), v.instance(Uint8Array)])
const transfer = v.exactOptional(v.strictObject({ id: v.string(), bytes: v.number() }))
const more = v.exactOptional(v.literal(true))
const nothing = v.strictObject({})
const memberSchema = v.strictObject({ id: v.string(), user: v.string(), info: valueSchema })
const holderSchema = v.strictObject({ user: v.string(), info: valueSchema })
const loggedEventSchema = v.strictObject({ data: valueSchema, offset: v.string() })
const version = v.strictObject({ version: v.number() })

/** The result of each client message: the fields of its reply besides `ok: true`. */
export const resultSchemas = {
  'storage:get': entrySchema,
  'storage:subscribe': v.strictObject({ entries: v.array(entrySchema), after: v.optional(v.string()) }),
  'storage:unsubscribe': nothing,
  'storage:set': version,
  'storage:remove': version,
  'storage:increment': v.strictObject({ value: v.number(), version: v.number() }),
  'storage:patch': v.strictObject({ version: v.number(), base: v.number() }),
  'event:subscribe': v.strictObject({ offset: v.exactOptional(v.string()) }),
  'event:unsubscribe': nothing,
  'event:publish': v.strictObject({ offset: v.exactOptional(v.string()) }),
  'event:history': v.strictObject({ events: v.array(loggedEventSchema), before: v.exactOptional(v.string()) }),
  'document:open': v.strictObject({
    offset: v.string(),
    stateVector: bytes,
    write: v.boolean(),
    update: v.exactOptional(bytes),
    transfer,
  }),
  'document:close': nothing,
  'document:update': v.strictObject({ offset: v.string() }),
  'document:part': v.strictObject({ bytes: v.exactOptional(bytes), last: v.exactOptional(v.literal(true)) }),
  'document:awareness': nothing,
  'document:versions': v.strictObject({
    versions: v.array(v.strictObject({ id: v.number(), name: v.string(), author: v.string(), at: v.number() })),
    more,
  }),
  'document:version': v.strictObject({ update: v.exactOptional(bytes), transfer }),
  'document:save': v.strictObject({ id: v.number() }),
  'document:restore': v.strictObject({ offset: v.string() }),
  'document:remove': nothing,
  'document:history': v.strictObject({
    changes: v.array(v.strictObject({ offset: v.number(), authors: v.array(v.string()), at: v.number() })),
    more,
  }),
  'presence:join': v.strictObject({ id: v.string() }),
  'presence:update': nothing,
  'presence:leave': nothing,
  'presence:subscribe': v.strictObject({
    members: v.exactOptional(v.array(memberSchema)),
    count: v.number(),
    settlingMs: v.exactOptional(v.number()),
  }),
  'presence:unsubscribe': nothing,
  'presence:cursor': nothing,
  'room:join': nothing,
  'room:leave': nothing,
  'lock:acquire': v.union([
    v.strictObject({ token: v.number() }),
    v.strictObject({ waiting: v.literal(true) }),
    v.strictObject({ holder: holderSchema }),
  ]),
  'lock:cancel': nothing,
  'lock:release': nothing,
  'lock:subscribe': v.strictObject({ locks: v.array(v.strictObject({ key: v.string(), holder: holderSchema })) }),
  'lock:unsubscribe': nothing,
} satisfies { [Name in RequestName]: v.GenericSchema<unknown, Requests[Name]['result']> }

const reset = v.exactOptional(v.literal(true))
const updateSchema = v.union([
  v.strictObject({ key: v.string(), version: v.number(), value: valueSchema, reset }),
  v.strictObject({ key: v.string(), version: v.number(), removed: v.literal(true), reset }),
  v.strictObject({ key: v.string(), version: v.number(), base: v.number(), patch: patchSchema, reset }),
])

const revokedTargetSchema = v.union([
  v.strictObject({ key: v.string() }),
  v.strictObject({ prefix: v.string() }),
  v.strictObject({ channel: v.string() }),
  v.strictObject({ room: v.string(), membership: v.exactOptional(v.literal(true)), joined: v.exactOptional(v.literal(true)) }),
  v.strictObject({ document: v.string() }),
  v.strictObject({ lock: v.string(), held: v.exactOptional(v.literal(true)) }),
  v.strictObject({ locks: v.string() }),
  v.strictObject({ connection: v.literal(true) }),
])

/** The payload of each server message. */
export const noticeSchemas = {
  'server:hello': v.strictObject({
    protocol: v.number(),
    instance: v.string(),
    limits: v.strictObject({ maxPayloadBytes: v.number(), maxKeysPerMessage: v.number(), maxSubscriptions: v.number() }),
    features: v.exactOptional(v.array(v.string())),
  }),
  'server:draining': v.strictObject({ reconnectAfterMs: v.number() }),
  'server:status': v.strictObject({ degraded: v.boolean() }),
  'server:revoked': v.strictObject({ target: revokedTargetSchema, error: wireErrorSchema }),
  'storage:updated': updateSchema,
  'event:received': v.strictObject({ channel: v.string(), data: valueSchema, offset: v.exactOptional(v.string()) }),
  'event:replayed': v.strictObject({
    channel: v.string(),
    epoch: v.string(),
    events: v.array(loggedEventSchema),
    more: v.exactOptional(v.literal(true)),
  }),
  'event:gap': v.strictObject({ channel: v.string(), from: v.string(), offset: v.string() }),
  'presence:changed': v.strictObject({
    room: v.string(),
    joined: v.exactOptional(v.array(memberSchema)),
    updated: v.exactOptional(v.array(memberSchema)),
    left: v.exactOptional(v.array(v.string())),
    count: v.number(),
  }),
  'presence:cursors': v.strictObject({ room: v.string(), cursors: v.record(v.string(), valueSchema) }),
  'document:updated': v.strictObject({
    document: v.string(),
    offset: v.string(),
    previous: v.string(),
    update: v.exactOptional(bytes),
  }),
  'document:status': v.strictObject({ document: v.string(), stored: v.string(), failing: v.exactOptional(v.literal(true)) }),
  'document:awareness': v.strictObject({
    document: v.string(),
    states: v.exactOptional(v.record(v.string(), v.strictObject({ client: v.number(), state: valueSchema }))),
    left: v.exactOptional(v.array(v.string())),
    all: v.exactOptional(v.literal(true)),
  }),
  'presence:count': v.strictObject({ room: v.string(), count: v.number() }),
  'room:received': v.strictObject({ room: v.exactOptional(v.string()), name: v.string(), data: valueSchema }),
  'lock:granted': v.strictObject({ key: v.string(), request: v.string(), token: v.number() }),
  'lock:refused': v.strictObject({ key: v.string(), request: v.string(), error: wireErrorSchema }),
  'lock:changed': v.strictObject({ key: v.string(), holder: v.exactOptional(holderSchema), lost: v.exactOptional(v.number()) }),
} satisfies { [Name in NoticeName]: v.GenericSchema<unknown, Notices[Name]> }
