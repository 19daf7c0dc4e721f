import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isJsonObject, isJsonValue, parseValue } from '../src/index.ts'

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
])('[X4] %s is no JSON value', (_, value) => {
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

test('[X4] whatever JSON.parse gives is a JSON value', () => {
  fc.assert(fc.property(fc.json(), (text) => isJsonValue(JSON.parse(text), 64)))
})

test('[X4] 64 levels are allowed, 65 are not', () => {
  for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ inner })]) {
    expect(isJsonValue(nested(64, wrap), 64)).toBe(true)
    expect(isJsonValue(nested(65, wrap), 64)).toBe(false)
  }
  expect(() => parseValue(nested(65, (inner) => [inner]))).toThrow('at most 64 levels')
})

test('[X4] levels are counted down each path, not along siblings', () => {
  expect(isJsonValue([[1], [2], { a: [3] }, [4]], 3)).toBe(true)
})

test('[X4] a hundred thousand levels do no harm', () => {
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

test('[X4] a long array with something wrong at its end is refused', () => {
  const long = Array<unknown>(200_000).fill(1)
  expect(isJsonValue(long, 1)).toBe(true)
  long.push(undefined)
  expect(isJsonValue(long, 1)).toBe(false)
})

test('[X4] isJsonObject tells objects from arrays, null and the rest', () => {
  expect([{}, { a: 1 }, Object.create(null)].map(isJsonObject)).toEqual([true, true, true])
  expect([[], null, undefined, 'a', 1, () => 1].map(isJsonObject)).toEqual([false, false, false, false, false, false])
})
