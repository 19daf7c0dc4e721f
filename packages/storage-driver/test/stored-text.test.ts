import type { JsonValue } from '@tutti/protocol'
import fc from 'fast-check'
import { createStorage } from 'unstorage'
import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, test } from 'vitest'
import { reactiveDriver, type StateStore } from '../src/index.ts'
import { valueOfText } from '../src/stored-text.ts'
import { freshKey, record } from '../src/testing/store-under-test.ts'
import { fileStore, memoryStore, redisStores } from './stores.ts'

const STRINGS = [
  ...['12345678901234567890', '9007199254740993', '1e400', '-1e400', '-0', '0.0', '1.0', '1.10', '1e5', '1E5', '1e21', '007', '+1', '.5'],
  ...['0.1000000000000000055', '123456789.123456789123', '  5 ', '5\n', ' true ', 'TRUE', 'nan', 'NaN', 'Infinity', 'undefined', ' null'],
  ...[
    '{"id":12345678901234567890}',
    '[1e400]',
    '[-0]',
    '{"a":{"b":[0.1000000000000000055]}}',
    '{"a":1,"a":2}',
    '[{"a":1,"b":{"c":1,"c":1}}]',
  ],
  ...['{"\\u0061":1,"a":1}', '{"__proto__":1,"__proto__":1}', '['.repeat(65) + ']'.repeat(65), '['.repeat(1_000) + ']'.repeat(1_000)],
  ...[
    '',
    '"',
    '"a',
    '{"a":',
    '\ufeff5',
    '\ufeff{"a":1}',
    '\0',
    'base64',
    '{a:1}',
    "{'a':1}",
    '0x10',
    '1_000',
    '[1,]',
    '"a\nb"',
    '-',
    '--1',
    '1e',
    'tru',
  ],
]

const VALUES: Record<string, JsonValue> = {
  '5': 5,
  '-5.25': -5.25,
  '1e+21': 1e21,
  '1e-7': 1e-7,
  '12345678901234567000': 12345678901234567000,
  '5e-324': 5e-324,
  true: true,
  null: null,
  '"5"': '5',
  ' "a" ': 'a',
  '"\\ud800"': '\ud800',
  '"\\u0061\\/"': 'a/',
  '{"a":1.0,"b":[1e2, 10E-1 ,0.50]}': { a: 1, b: [100, 1, 0.5] },
  '{ "b" : "1:2", "1" : "\\"x\\":" }': { b: '1:2', '1': '"x":' },
  '[[{"a":1},{"a":1}],{"a":{"a":1}}]': [[{ a: 1 }, { a: 1 }], { a: { a: 1 } }],
  '{"__proto__":{"a":[]},"constructor":{"prototype":1}}': JSON.parse('{"__proto__":{"a":[]},"constructor":{"prototype":1}}') as JsonValue,
  '[true,false,null,"e","-1"]': [true, false, null, 'e', '-1'],
}

test('[S20] a text that JSON would change is a string', () => {
  for (const text of STRINGS) expect(valueOfText(text), text.slice(0, 80)).toBe(text)
})

test('[S20] a text that its JSON represents exactly is that value', () => {
  for (const [text, value] of Object.entries(VALUES)) expect(valueOfText(text), text).toEqual(value)
})

// Vitest reports a property named `__proto__` as a difference without showing it.
const json = (value: unknown): string => JSON.stringify(value)

const valueAt = async (store: StateStore, key: string): Promise<string> => {
  const [entry] = await store.read([key])
  return json(entry !== undefined && 'value' in entry ? entry.value : undefined)
}

const character = fc.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.nat(0x10ffff)).map((point) => String.fromCodePoint(point))
const digits = fc.array(fc.nat(9), { minLength: 1, maxLength: 20 }).map((list) => list.join(''))
const numberText = fc
  .tuple(fc.constantFrom('', '-'), digits, fc.option(digits), fc.option(fc.integer({ min: -330, max: 310 })))
  .map(
    ([sign, whole, fraction, exponent]) =>
      `${sign}${whole}${fraction === null ? '' : `.${fraction}`}${exponent === null ? '' : `e${exponent}`}`,
  )
const jsonText = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value))
const anyText = fc.oneof(
  fc.constantFrom(...STRINGS, ...Object.keys(VALUES)),
  fc.array(character, { maxLength: 5 }).map((list) => list.join('')),
  numberText,
  jsonText,
  fc.tuple(jsonText, numberText).map(([json, number]) => `{"a":${json} ,"b":[${number}],"a${number}":null}`),
  fc.double({ noNaN: true }).map(String),
)

describe.each([
  ['Redis', redisStores, 100],
  ['the memory driver', memoryStore, 300],
  ['the fs driver', fileStore, 30],
] as const)('over %s', (_name, make, numRuns) => {
  test('[S20] every way to a stored text leads to one value, which a write restores', async () => {
    const made = await make()
    const { store, other, get, put, dispose } = made
    const [storage, elsewhere] = [createStorage({ driver: store }), createStorage({ driver: other })]
    const check = async (text: string): Promise<void> => {
      const [key, foreign] = [freshKey(), freshKey()]
      const changes = await record(other, key)
      const stored = storage.setItem(key, text)
      if (!text.isWellFormed()) {
        await expect(stored).rejects.toMatchObject({ code: 'INVALID_VALUE' })
        expect(await get(key)).toBe(null)
        return changes.stop()
      }
      await stored
      const value = valueOfText(text)
      const [change] = await changes.count(1)
      expect(json(change?.value)).toBe(json(value))
      expect(await get(key)).toBe(text)
      expect(json(await other.read([key]))).toBe(json([{ key, version: change?.version, value }]))
      expect(json(await elsewhere.getItem(key))).toBe(json(value))
      if (!text.startsWith('base64:')) expect(await elsewhere.getItemRaw(key)).toBe(text)
      await put(foreign, text)
      expect(await valueAt(store, foreign)).toBe(json(value))
      // A change without a difference.
      await store.write({ op: 'set', key, value })
      expect(json((await changes.count(2))[1]?.value)).toBe(json(value))
      expect(await valueAt(other, key)).toBe(json(value))
      expect(json(await elsewhere.getItem(key))).toBe(json(value))
      // unstorage stores `'5'` and `5` alike, so setItem does not restore a string that is JSON.
      if (typeof value !== 'string' || valueOfText(value) === value) {
        const item = await elsewhere.getItem<JsonValue>(key)
        if (typeof item === 'string' && !item.isWellFormed()) return changes.stop()
        await storage.setItem(key, item)
        expect(await valueAt(other, key)).toBe(json(value))
      }
      changes.stop()
    }
    await fc.assert(fc.asyncProperty(anyText, check), { numRuns })
    await dispose()
  })

  test('[S11] half a surrogate pair is INVALID_VALUE as text, and kept within JSON', async () => {
    const { store, other, get, dispose } = await make()
    const storage = createStorage({ driver: store })
    const key = freshKey()
    for (const text of ['\ud83d', 'a\udc00b', '{"a":"\ud83d"}']) {
      const ways = [
        () => storage.setItem(key, text),
        () => storage.setItemRaw(key, text),
        () => storage.setItems([{ key, value: text }]),
        async () => store.setItem?.(key, text, {}),
        async () => store.setItem?.(`${key}$`, text, {}),
      ]
      for (const way of ways) await expect(way()).rejects.toMatchObject({ code: 'INVALID_VALUE' })
      expect(await get(key)).toBe(null)
      const { version } = await store.write({ op: 'set', key, value: { [text]: [text] } })
      expect(await other.read([key])).toEqual([{ key, version, value: { [text]: [text] } }])
      expect(await storage.getItem(key)).toEqual({ [text]: [text] })
      await storage.setItem(key, { [text]: text })
      expect(await other.read([key])).toMatchObject([{ value: { [text]: text } }])
      await storage.removeItem(key)
    }
    await dispose()
  })

  test("[S7] a number can be incremented if clients see one; sums have JavaScript's form", async () => {
    const { store, get, put, dispose } = await make()
    const powers = Array.from({ length: 560 }, (_, place) => 2 ** (place * 2 - 1_074))
    const doubles = fc.sample(fc.double({ min: -9e15, max: 9e15 }), { numRuns: 200, seed: 3 })
    const small = fc.sample(fc.double({ min: -1e-5, max: 1e-5 }), { numRuns: 100, seed: 3 })
    const texts = [...STRINGS, ...Object.keys(VALUES), ...[...powers, ...doubles, ...small, 0.1 + 0.2, 1e-6, 1e-7, 123e-7].map(String)]
    const check = async (text: string): Promise<void> => {
      const [key, value] = [freshKey(), valueOfText(text)]
      await put(key, text)
      const sum = typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : undefined
      const counted = store.write({ op: 'increment', key, by: 0 })
      if (sum === undefined) await expect(counted, text).rejects.toMatchObject({ code: 'NOT_A_NUMBER' })
      else await expect(counted, text).resolves.toMatchObject({ value: sum })
      expect(await get(key), text).toBe(text)
    }
    // Files are slow, and the store is the same as over memory.
    const some = make === fileStore ? texts.slice(0, 90) : texts
    for (let start = 0; start < some.length; start += 100) await Promise.all(some.slice(start, start + 100).map(check))
    await dispose()
  })
})

test('[S20] a driver that returns parsed values keeps the values of clients', async () => {
  const texts = memoryDriver()
  const parsing = {
    ...texts,
    getItem: async (key: string): Promise<JsonValue> => {
      const text = await texts.getItem(key)
      try {
        return JSON.parse(text as string) as JsonValue
      } catch {
        return text as JsonValue
      }
    },
  }
  const [store, storage] = [reactiveDriver(parsing), createStorage({ driver: reactiveDriver(parsing) })]
  for (const value of ['5', 'true', '"a"', 'text', null, 5, { a: ['1'] }, '12345678901234567890']) {
    const key = freshKey()
    const { version } = await store.write({ op: 'set', key, value })
    expect(await store.read([key])).toEqual([{ key, version, value }])
  }
  for (const text of ['1.10', '12345678901234567890', '{"a":1,"a":2}', ' 5 ', 'text']) {
    await storage.setItem('item', text)
    expect(await storage.getItem('item')).toBe(text)
  }
})
