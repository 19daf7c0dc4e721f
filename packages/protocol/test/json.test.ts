import { runInNewContext } from 'node:vm'
import { oddValues } from '@tutti/test-kit/odd-values'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isJsonValue, jsonCopy, parseValue, RealtimeError } from '../src/index.ts'
import { isJsonObject } from '../src/internal.ts'

const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = wrap(value)
  return value
}

class Point {
  x = 1
}

const cyclic: Record<string, unknown> = { name: 'parent' }
cyclic['children'] = Array.from({ length: 8 }, () => ({ parent: cyclic }))

const holes = Array<number>(3)
holes[0] = 1

test.each([
  ['undefined', undefined],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['a bigint', 1n],
  ['a symbol', Symbol('a')],
  ['a function', () => 1],
  ['a Buffer', Buffer.from('a')],
  ['an ArrayBuffer', new ArrayBuffer(1)],
  ['a typed array', new Uint8Array(1)],
  ['a Date', new Date(0)],
  ['a Map', new Map()],
  ['an instance of a class', new Point()],
  ['an object made from another', Object.create({ a: 1 })],
  ['an array with a hole', holes],
  ['an array with undefined', [undefined]],
  ['an object with undefined', { a: undefined }],
  ['an object with toJSON', { toJSON: () => 1 }],
  ['a cycle', cyclic],
  ['binary deep inside', { a: [{ b: Buffer.from('a') }] }],
])('[X4] %s is not a JSON value', (_, value) => {
  expect(isJsonValue(value, 64)).toBe(false)
  expect(() => parseValue(value)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
})

test.each([
  ['null', null],
  ['false', false],
  ['an empty string', ''],
  ['a lone surrogate', '\uD800'],
  ['minus zero', -0],
  ['the smallest number', Number.MIN_VALUE],
  ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
  ['an object of another realm', runInNewContext('({ a: [1] })')],
  ['a property named __proto__', JSON.parse('{"__proto__":{"a":1},"constructor":2}')],
  ['one object twice, side by side', [cyclic['name'], holes.length, ...Array<object>(2).fill({ a: 1 })]],
])('[X4] %s is a JSON value', (_, value) => {
  expect(isJsonValue(value, 64)).toBe(true)
  expect(parseValue(value)).toBe(value)
})

test('[X4] every result of JSON.parse is a JSON value', () => {
  fc.assert(fc.property(fc.json(), (text) => isJsonValue(JSON.parse(text), 64)))
})

test('[X4] 64 levels are allowed, 65 are not', () => {
  for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ inner })]) {
    expect(isJsonValue(nested(64, wrap), 64)).toBe(true)
    expect(isJsonValue(nested(65, wrap), 64)).toBe(false)
  }
  expect(() => parseValue(nested(65, (inner) => [inner]))).toThrow('more than 64 levels')
})

test('[X4] levels are counted down each path, not across siblings', () => {
  expect(isJsonValue([[1], [2], { a: [3] }, [4]], 3)).toBe(true)
})

test('[X4] a hundred thousand levels are refused without an overflow', () => {
  expect(
    isJsonValue(
      nested(100_000, (inner) => [inner]),
      64,
    ),
  ).toBe(false)
  expect(
    isJsonValue(
      nested(100_000, (inner) => ({ inner })),
      64,
    ),
  ).toBe(false)
})

test('[X4] a long array with an invalid item at its end is refused', () => {
  const long = Array<unknown>(200_000).fill(1)
  expect(isJsonValue(long, 1)).toBe(true)
  long.push(undefined)
  expect(isJsonValue(long, 1)).toBe(false)
})

test('[X4] isJsonObject is true for objects only, not for arrays or null', () => {
  expect([{}, { a: 1 }, Object.create(null)].map(isJsonObject)).toEqual([true, true, true])
  expect([[], null, undefined, 'a', 1, () => 1].map(isJsonObject)).toEqual([false, false, false, false, false, false])
})

test('[S24] jsonCopy names the path and kind of the first part that is not JSON', () => {
  const flaw = (value: unknown): unknown => {
    try {
      return jsonCopy(value)
    } catch (error) {
      return error instanceof RealtimeError && error.code === 'INVALID_VALUE'
        ? /^Invalid value at (.*) is not JSON, or is nested more than 64 levels deep\.$/.exec(error.message)?.[1]
        : error
    }
  }
  expect(flaw(Number.NaN)).toBe('value: NaN')
  expect(flaw({ a: 1, list: [1, { due: new Date(0) }], b: new Point() })).toBe('value.list.1.due: Date')
  expect([undefined, 1n, Symbol('a'), () => 1].map((value) => flaw([value]))).toEqual(
    ['undefined', 'bigint', 'symbol', 'function'].map((kind) => `value.0: ${kind}`),
  )
  expect(flaw({ list: holes })).toBe('value.list.1: undefined')
  expect(flaw(cyclic)).toMatch(/^value\.children\.0\.parent\.children.*: object$/)
  expect(flaw(nested(65, (inner) => [inner]))).toBe(`value${'.0'.repeat(64)}: object`)
  const thrown = new Error('boom')
  const throwing = {
    get a(): never {
      throw thrown
    },
  }
  expect(flaw({ throwing })).toBe('value.throwing: Error: boom')
  expect(() => jsonCopy(throwing)).toThrow(expect.objectContaining({ cause: thrown }))
})

test('[S24] jsonCopy equals a JSON round trip for every JSON value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = jsonCopy(value)
      expect(copy).toStrictEqual(JSON.parse(JSON.stringify(value)))
      if (typeof value === 'object' && value !== null) expect(copy).not.toBe(value)
    }),
  )
  for (const { name, make, json } of oddValues) {
    if (json !== undefined) expect(JSON.stringify(jsonCopy(make())), name).toBe(json)
    else expect(() => jsonCopy(make()), name).toThrow('is not JSON')
  }
  expect(Object.is(jsonCopy(-0), 0)).toBe(true)
  expect(jsonCopy({ a: undefined, b: null })).toStrictEqual({ b: null })
})

test('[S24] parseValue also names the part that is not JSON', () => {
  expect(() => parseValue({ a: [1n] })).toThrow('Invalid value at value.a.0: bigint is not JSON, or is nested more than 64 levels deep.')
  expect(() => parseValue({ a: undefined })).toThrow('a property is undefined')
})
