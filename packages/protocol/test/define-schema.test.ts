import * as v from 'valibot'
import { expect, expectTypeOf, test } from 'vitest'
import { defineSchema, roomKey, type SchemaValue } from '../src/index.ts'
import { schemaOf } from '../src/internal.ts'

const todo = v.object({ title: v.string() })
const done = v.object({ at: v.number() })
const schema = defineSchema({ state: { count: v.number(), 'todos:*': todo, 'todos:done:*': done }, events: { '*': v.string() } })
type State = (typeof schema)['state']

test.each([
  ['count', schema.state.count],
  ['count:1', undefined],
  ['todos', undefined],
  ['todos:1', todo],
  ['todos:done', todo],
  ['todos:done:1', done],
  ['todos:1:2', todo],
  ['toString', undefined],
  ['__proto__', undefined],
])('[X6] the schema of %s is that of the most specific pattern that matches it', (key, found) => {
  expect(schemaOf(schema, 'state', key)).toBe(found)
})

test('[X6] `*` matches every name, and an empty table none', () => {
  expect(schemaOf(schema, 'events', 'chat:1')).toBe(schema.events['*'])
  expect(schemaOf({}, 'events', 'chat:1')).toBeUndefined()
})

test.each(['a*', '', '$a', 'a:*:b', 'a/b'])('[X6] a schema for %j throws INVALID_OPTIONS', (pattern) => {
  for (const table of ['state', 'events'])
    expect(() => defineSchema({ [table]: { [pattern]: todo } })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})

test('[X6] keys and channels have the types of their schemas', () => {
  expectTypeOf<SchemaValue<State, 'count'>>().toEqualTypeOf<number>()
  expectTypeOf<SchemaValue<State, 'todos:1'>>().toEqualTypeOf<{ title: string }>()
  expectTypeOf<SchemaValue<State, `todos:${string}`>>().toEqualTypeOf<{ title: string }>()
  expectTypeOf<SchemaValue<State, 'todos:done:1'>>().toEqualTypeOf<{ at: number }>()
  expectTypeOf<SchemaValue<State, 'other'>>().toEqualTypeOf<unknown>()
  expectTypeOf<SchemaValue<(typeof schema)['events'], 'chat:1'>>().toEqualTypeOf<string>()
})

test('[X6] the schemas of a room apply to its keys, channels, presence and messages', () => {
  const [title, typing, member, saved, other] = [v.string(), v.boolean(), v.object({ name: v.string() }), v.number(), v.null()]
  const rooms = defineSchema({
    ...{ state: { '*': other }, events: { '*': other }, presence: { '*': other }, messages: { saved: other } },
    rooms: {
      'proj:*': { state: { title }, presence: member },
      'proj:1': { state: { 'title:*': title }, events: { typing }, messages: { 'saved:*': saved } },
    },
  })
  expect(schemaOf(rooms, 'state', roomKey('proj:2', 'title'))).toBe(title)
  expect(schemaOf(rooms, 'state', roomKey('proj:2', 'other'))).toBe(other)
  expect(schemaOf(rooms, 'state', roomKey('proj:1', 'title:en'))).toBe(title)
  expect(schemaOf(rooms, 'state', roomKey('proj', '1:title:en'))).toBe(other)
  expect(schemaOf(rooms, 'state', 'proj:1:title:en')).toBe(other)
  expect(schemaOf(rooms, 'events', roomKey('proj:1', 'typing'))).toBe(typing)
  expect(schemaOf(rooms, 'presence', 'proj:2')).toBe(member)
  expect(schemaOf(rooms, 'presence', 'proj:1')).toBe(other)
  expect(schemaOf(rooms, 'messages', 'saved:1', 'proj:1')).toBe(saved)
  expect(schemaOf(rooms, 'messages', 'saved', 'proj:1')).toBe(other)
  expect(schemaOf(rooms, 'messages', 'saved:1')).toBeUndefined()
})

test('[X6] an invalid pattern or unknown part of rooms throws INVALID_OPTIONS', () => {
  const invalid: unknown[] = [{ 'a*': {} }, { a: { state: { 'a*': todo } } }, { a: { messages: { 'a*': todo } } }, { a: { unknown: {} } }]
  for (const rooms of [...invalid, { a: { presence: null } }])
    expect(() => defineSchema({ rooms } as never)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})
