import * as v from 'valibot'
import { expect, expectTypeOf, test } from 'vitest'
import { defineSchema, type SchemaValue } from '../src/index.ts'
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
  expect(schemaOf(schema.state, key)).toBe(found)
})

test('[X6] `*` matches every name, and an empty table none', () => {
  expect(schemaOf(schema.events, 'chat:1')).toBe(schema.events['*'])
  expect(schemaOf(undefined, 'chat:1')).toBeUndefined()
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
