import { readFileSync, readdirSync } from 'node:fs'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { PROTOCOL_HISTORY, PROTOCOL_VERSION, toWireError, RealtimeError } from '../src/index.ts'
import { handshakeSchema, parseMessage, relayedEventSchema, revocationSchema } from '../src/schemas/index.ts'
import { noticeSchemas, resultSchemas, wireErrorSchema } from './answer-schemas.ts'
import { describeShape } from './describe-shape.ts'
import { requestSchemas } from './request-schemas.ts'

// The golden files contain the shapes of each protocol version. A failing test means that the protocol has changed: see
// docs/protocol.md and CONTRIBUTING.md for the required steps. Never edit the files of a released version, except to add an
// optional field.

const folder = (version: number) => new URL(`fixtures/protocol-${version}/`, import.meta.url)
const read = <Content>(version: number, file: string): Content =>
  JSON.parse(readFileSync(new URL(file, folder(version)), 'utf8')) as Content

interface Example {
  payload: unknown
  reply: { ok: true; [field: string]: unknown } | { ok: false; error: unknown }
}

const names = <Table extends object>(table: Table) => Object.keys(table) as (keyof Table & string)[]
const versions = names(PROTOCOL_HISTORY).map(Number)

test('[protocol] every version up to the newest has a line of history and golden files', () => {
  expect(versions).toEqual(Array.from({ length: PROTOCOL_VERSION }, (_, index) => index + 1))
  for (const version of versions) {
    expect(readdirSync(folder(version)).sort()).toEqual(['errors.json', 'handshakes.json', 'notices.json', 'requests.json', 'shapes.json'])
  }
})

test('[protocol] the shapes of all messages equal those of the newest version', () => {
  const describeAll = (table: Record<string, v.GenericSchema>) =>
    Object.fromEntries(Object.entries(table).map(([name, schema]) => [name, describeShape(schema)]))
  expect({
    handshake: describeShape(handshakeSchema),
    requests: describeAll(requestSchemas),
    results: describeAll(resultSchemas),
    error: describeShape(wireErrorSchema),
    notices: describeAll(noticeSchemas),
    'between instances': { event: describeShape(relayedEventSchema), revocation: describeShape(revocationSchema) },
  }).toStrictEqual(read(PROTOCOL_VERSION, 'shapes.json'))
})

describe.each(versions)('version %d', (version) => {
  const requests = read<Record<keyof typeof requestSchemas, Example[]>>(version, 'requests.json')
  const notices = read<Record<keyof typeof noticeSchemas, unknown[]>>(version, 'notices.json')

  test.each(names(requestSchemas))('[protocol] the examples of %s are accepted unchanged', (name) => {
    expect(requests[name].length).toBeGreaterThan(0)
    for (const { payload } of requests[name]) expect(parseMessage(requestSchemas[name] as v.GenericSchema, payload)).toStrictEqual(payload)
  })

  test.each(names(resultSchemas))('[protocol] the replies to %s have the shape of the examples', (name) => {
    expect(requests[name].some(({ reply }) => reply.ok)).toBe(true)
    for (const { reply } of requests[name]) {
      if (reply.ok) {
        const { ok: _, ...result } = reply
        expect(v.is(resultSchemas[name], result)).toBe(true)
      } else expect(v.is(wireErrorSchema, reply.error)).toBe(true)
    }
  })

  test.each(names(noticeSchemas))('[protocol] the examples of %s have its shape', (name) => {
    expect(notices[name].length).toBeGreaterThan(0)
    for (const notice of notices[name]) expect(v.safeParse(noticeSchemas[name], notice).issues).toBeUndefined()
  })

  test('[protocol] the examples contain no message that the protocol lacks', () => {
    expect(Object.keys(requests)).toEqual(Object.keys(requestSchemas))
    expect(Object.keys(notices)).toEqual(Object.keys(noticeSchemas))
  })

  test('[protocol] its handshakes are accepted', () => {
    for (const handshake of read<unknown[]>(version, 'handshakes.json'))
      expect(parseMessage(handshakeSchema, handshake)).toStrictEqual(handshake)
  })
})

test('[X7] the errors that the schemas describe are those of toWireError', () => {
  const entry = { key: 'a', version: 1, value: null }
  const error = new RealtimeError('CONFLICT', { retryAfterMs: 1, entry, issues: [{ path: 'a' }] })
  expect(v.parse(wireErrorSchema, toWireError(error))).toStrictEqual(toWireError(error))
})
