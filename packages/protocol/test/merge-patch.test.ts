import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { applyPatch, createPatch, equalJson, type JsonValue } from '../src/index.ts'
import { composePatches } from '../src/internal.ts'
import { jsonObject, jsonValue } from './json-arbitrary.ts'

const RUNS = { numRuns: 2000 }

/** RFC 7396, appendix A: original, patch, result. */
const RFC_TABLE: [JsonValue, JsonValue, JsonValue][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b' }, { a: null }, {}],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
  [
    ['a', 'b'],
    ['c', 'd'],
    ['c', 'd'],
  ],
  [{ a: 'b' }, ['c'], ['c']],
  [{ a: 'foo' }, null, null],
  [{ a: 'foo' }, 'bar', 'bar'],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: 'b', c: null }, { a: 'b' }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
]

describe('applyPatch', () => {
  test.each(RFC_TABLE)('[S8] %j patched with %j is %j', (value, patch, result) => {
    expect(applyPatch(value, patch)).toStrictEqual(result)
  })

  test('[S8] an absent value is patched like an empty object', () => {
    fc.assert(
      fc.property(jsonObject, (patch) => equalJson(applyPatch(undefined, patch), applyPatch({}, patch))),
      RUNS,
    )
  })

  test('[S8] neither the value nor the patch is changed', () => {
    const unchanged = (value: JsonValue, patch: JsonValue) => {
      const before = JSON.stringify([value, patch])
      applyPatch(value, patch)
      return JSON.stringify([value, patch]) === before
    }
    fc.assert(fc.property(jsonValue, jsonValue, unchanged), RUNS)
  })

  test('[S8] patches of different properties are all kept, in either order', () => {
    const base = { a: 1, b: { c: 1, d: 1 } }
    const [one, two] = [{ b: { c: 2 } }, { b: { d: null, e: 3 } }]
    const both = { a: 1, b: { c: 2, e: 3 } }
    expect(applyPatch(applyPatch(base, one), two)).toStrictEqual(both)
    expect(applyPatch(applyPatch(base, two), one)).toStrictEqual(both)
  })

  test('[S8] a property named __proto__ is data', () => {
    const patched = applyPatch({}, JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":1}}'))
    expect(JSON.stringify(patched)).toBe('{"__proto__":{"polluted":true},"a":{"__proto__":1}}')
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    expect(applyPatch(patched, JSON.parse('{"__proto__":null,"a":null}'))).toStrictEqual({})
  })
})

describe('composePatches', () => {
  test('[S14] a composed patch has the effect of both patches in order', () => {
    const law = (value: JsonValue, first: JsonValue, second: JsonValue) => {
      const both = composePatches(first, second)
      return both === undefined || equalJson(applyPatch(applyPatch(value, first), second), applyPatch(value, both))
    }
    fc.assert(fc.property(jsonValue, jsonObject, jsonValue, law), RUNS)
    fc.assert(fc.property(jsonValue, jsonValue, jsonValue, law), RUNS)
  })

  test('[S14] a patch that merges into a value replaced by the first is not composed', () => {
    expect(composePatches({ a: null }, { a: { b: 1 } })).toBeUndefined()
    expect(composePatches({ a: 5 }, { a: {} })).toBeUndefined()
    expect(composePatches({ a: [1] }, { a: { b: 1 } })).toBeUndefined()
    expect(composePatches(5, { a: 1 })).toBeUndefined()
    expect(composePatches({ a: { b: 1 } }, { a: { b: { c: 1 } } })).toBeUndefined()
  })

  test.each<[JsonValue, JsonValue, JsonValue]>([
    [{ a: 1 }, { b: 2 }, { a: 1, b: 2 }],
    [{ a: 1 }, { a: null }, { a: null }],
    [{ a: null }, { a: 1 }, { a: 1 }],
    [{ a: { b: 1 } }, { a: { c: 2 } }, { a: { b: 1, c: 2 } }],
    [{ a: { b: 1 } }, { a: 2 }, { a: 2 }],
    [{ a: 1 }, {}, { a: 1 }],
    [{ a: 1 }, 7, 7],
    [{ a: { b: null } }, { a: { b: null, c: { d: null } } }, { a: { b: null, c: { d: null } } }],
  ])('[S14] %j and then %j is %j', (first, second, both) => {
    expect(composePatches(first, second)).toStrictEqual(both)
  })

  test('[S14] a property named __proto__ is composed like any other', () => {
    const both = composePatches(JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"b":2}}'))
    expect(JSON.stringify(both)).toBe('{"__proto__":{"a":1,"b":2}}')
  })
})

describe('createPatch', () => {
  test('[S8] the patch between two objects turns the first into the second', () => {
    const law = (from: JsonValue, to: JsonValue) => {
      const patch = createPatch(from, to)
      return patch === undefined || equalJson(applyPatch(from, patch), to)
    }
    fc.assert(fc.property(jsonObject, jsonObject, law), RUNS)
    fc.assert(fc.property(jsonValue, jsonValue, law), RUNS)
  })

  test('[S8] a patch exists to every object without null', () => {
    const hasNull = (value: JsonValue): boolean =>
      value === null || (typeof value === 'object' && !Array.isArray(value) && Object.values(value).some(hasNull))
    fc.assert(
      fc.property(jsonObject, jsonObject, (from, to) => hasNull(to) || createPatch(from, to) !== undefined),
      RUNS,
    )
  })

  test('[S8] the result of a patch can be expressed as a patch', () => {
    const law = (value: JsonValue, patch: JsonValue) => createPatch(value, applyPatch(value, patch)) !== undefined
    fc.assert(fc.property(jsonObject, jsonObject, law), RUNS)
  })

  test('[S8] equal values give the empty patch', () => {
    fc.assert(
      fc.property(jsonObject, (value) => equalJson(createPatch(value, structuredClone(value)) ?? null, {})),
      RUNS,
    )
  })

  test.each<[JsonValue | undefined, JsonValue, JsonValue | undefined]>([
    [
      { a: 1, b: 2 },
      { a: 1, c: 3 },
      { b: null, c: 3 },
    ],
    [{ a: { b: 1, c: 2 } }, { a: { b: 1 } }, { a: { c: null } }],
    [{ a: [1] }, { a: [1, 2] }, { a: [1, 2] }],
    [{ a: 1 }, { a: {} }, { a: {} }],
    [{ a: null }, { a: null, b: 1 }, { b: 1 }],
    [{ a: 1 }, { a: null }, undefined],
    [{}, { a: { b: null } }, undefined],
    [{ a: { b: 1 } }, { a: { b: null } }, undefined],
    [{ a: [] }, { a: { b: null } }, undefined],
    [[1], { a: 1 }, undefined],
    [{ a: 1 }, [1], undefined],
    [undefined, { a: 1 }, undefined],
    [1, 1, undefined],
  ])('[S8] from %j to %j is %j', (from, to, patch) => {
    expect(createPatch(from, to)).toStrictEqual(patch)
  })
})

describe('equalJson', () => {
  test('[S8] a copy is equal, regardless of the order of its properties', () => {
    const reversed = (value: JsonValue): JsonValue => {
      if (Array.isArray(value)) return value.map(reversed)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .toReversed()
          .map(([name, item]) => [name, reversed(item)]),
      )
    }
    fc.assert(
      fc.property(jsonValue, (value) => equalJson(value, reversed(value))),
      RUNS,
    )
  })

  test('[S8] values are equal exactly when their JSON, sorted by name, is', () => {
    const sorted = (value: JsonValue): JsonValue => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
      const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
      return { entries: entries.map(([name, item]) => [name, sorted(item)]) }
    }
    const agrees = (a: JsonValue, b: JsonValue) => equalJson(a, b) === (JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)))
    fc.assert(fc.property(jsonObject, jsonObject, agrees), RUNS)
  })

  test.each<[JsonValue, JsonValue]>([
    [[1, 2], [1]],
    [[1], [1, 2]],
    [[], {}],
    [{}, []],
    [{ a: 1 }, { b: 1 }],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ a: null }, {}],
    [null, {}],
    [0, false],
    ['1', 1],
    [{ toString: 1 }, {}],
    [{}, { toString: 1 }],
  ])('[S8] %j and %j differ', (a, b) => expect(equalJson(a, b)).toBe(false))
})
