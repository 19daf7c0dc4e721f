import { equalJson, type JsonValue } from '@tutti/protocol'
import { isJsonObject } from '@tutti/protocol/internal'
import { seededRandom, type SeededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { toRaw } from 'vue'
import { createDraft } from '../src/draft.ts'
import { mergeChange } from '../src/send-change.ts'

const names = ['a', 'b', 'c', 'id', '1', '__proto__']

function randomJson(random: SeededRandom, depth = 3): JsonValue {
  const kind = random.below(depth > 0 ? 6 : 4)
  if (kind < 4) return [null, random.below(3), 'text', true][kind] ?? null
  const size = random.below(5)
  if (kind === 4) return Array.from({ length: size }, () => randomJson(random, depth - 1))
  return Object.fromEntries(Array.from({ length: size }, () => [names[random.below(names.length)] ?? 'a', randomJson(random, depth - 1)]))
}

/** Another value that has much in common with the first. */
function edited(random: SeededRandom, value: JsonValue): JsonValue {
  if (random.below(8) === 0) return randomJson(random, 2)
  if (Array.isArray(value)) {
    const items = value.map((item) => (random.below(3) === 0 ? edited(random, item) : structuredClone(item)))
    if (random.below(3) === 0) items.splice(random.below(items.length + 1), random.below(2), randomJson(random, 1))
    return items
  }
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value).map(([name, item]): [string, JsonValue] => [name, edited(random, item)])
  if (random.below(4) === 0) entries.reverse()
  return Object.fromEntries(random.below(4) === 0 ? entries.slice(1) : entries)
}

/** The JSON text, in which order counts. */
const text = (value: unknown): string => JSON.stringify(value) ?? 'absent'

test('[S4] a draft can show any value, which is not a change of the application', () => {
  const seed = Date.now()
  const random = seededRandom(seed)
  const draft = createDraft(new WeakMap())
  let value = randomJson(random)
  for (let round = 0; round < 3_000; round++) {
    draft.show(value)
    // Items that differ only in the order of their properties are unchanged.
    expect(equalJson(toRaw(draft.value) ?? null, value), `seed ${seed}: ${text(draft.value)} is not ${text(value)}`).toBe(true)
    expect(draft.takeChange(), `seed ${seed}`).toBe(undefined)
    value = random.below(10) === 0 ? randomJson(random) : edited(random, value)
  }
})

test('[S4] properties have the order of the shown value', () => {
  const draft = createDraft(new WeakMap())
  for (const order of ['a b c', 'c a b', 'b', 'a b', 'b a', 'b c a']) {
    draft.show(Object.fromEntries(order.split(' ').map((name) => [name, { name }])))
    expect(Object.keys(toRaw(draft.value) ?? {}).join(' ')).toBe(order)
  }
})

test('[S4] a property named __proto__ is data', () => {
  const draft = createDraft(new WeakMap())
  draft.show({ a: {} })
  draft.show(JSON.parse('{"a":{"__proto__":{"polluted":true}}}'))
  expect(text(toRaw(draft.value))).toBe('{"a":{"__proto__":{"polluted":true}}}')
  expect(Object.getPrototypeOf((toRaw(draft.value) as { a: object }).a)).toBe(Object.prototype)
  draft.show({ a: {} })
  expect(text(toRaw(draft.value))).toBe('{"a":{}}')
})

test('[S13] a draft does not change replaced, frozen or non-plain objects', () => {
  const draft = createDraft(new WeakMap())
  const frozen = Object.freeze({ a: 1 })
  draft.show({ item: { a: 0 } })
  const value = draft.value as unknown as { item: { a: number } }
  value.item = frozen
  expect(draft.takeChange()).toEqual({ from: { item: { a: 0 } }, to: { item: { a: 1 } }, isJson: true })
  draft.show({ item: { a: 2 } })
  expect([frozen.a, value.item.a]).toEqual([1, 2])
  class Item {
    a = 3
  }
  const instance = new Item()
  value.item = instance
  draft.takeChange()
  draft.show({ item: { a: 4 } })
  expect([instance.a, value.item.a]).toEqual([3, 4])
})

test('[S13] items are matched by their neighbours, never by index alone', () => {
  const draft = createDraft(new WeakMap())
  const items = (...texts: string[]): JsonValue => texts.map((text) => ({ text }))
  const list = (): { text: string }[] => draft.value as never
  draft.show(items('a', 'b', 'c'))
  const [a, b, c] = list()
  draft.show(items('a', 'b', 'c', 'd'))
  expect([list()[0], list()[1], list()[2]].map((item, index) => item === [a, b, c][index])).toEqual([true, true, true])
  draft.show(items('a', 'B', 'c', 'd'))
  expect([list()[1] === b, b?.text]).toEqual([true, 'B'])
  // Either one of the two was removed and the other changed, or both were removed: the cases cannot be distinguished.
  draft.show(items('?', 'c', 'd'))
  expect([list()[0] === a, a?.text, b?.text, list()[1] === c]).toEqual([false, 'a', 'B', true])
})

test('[S8] a change is applied to the newest value, property by property', () => {
  const from = { a: 1, b: { x: 1, y: 1 }, list: [1], gone: 1 }
  const to = { a: null, b: { x: 2, y: 1 }, list: [1, 2] }
  expect(mergeChange(from, to, { a: 1, b: { x: 1, y: 9, z: 9 }, list: [9], gone: 1, other: 9 })).toEqual({
    a: null,
    b: { x: 2, y: 9, z: 9 },
    list: [1, 2],
    other: 9,
  })
  expect(mergeChange(from, to, 5)).toEqual(to)
  expect(mergeChange({ b: { x: 1 } }, { b: { x: null } }, { b: 'other' })).toEqual({ b: { x: null } })
})

test("[S8] on unchanged properties, a change results in the application's value", () => {
  const seed = Date.now()
  const random = seededRandom(seed)
  for (let round = 0; round < 2_000; round++) {
    const from = randomJson(random)
    const to = edited(random, from)
    expect(equalJson(mergeChange(from, to, structuredClone(from)), to), `seed ${seed}: ${text(from)} to ${text(to)}`).toBe(true)
  }
})
