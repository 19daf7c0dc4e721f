import { applyPatch, equalJson, type JsonObject, type JsonValue } from '@tutti/protocol'
import { seededRandom } from '@tutti/test-kit'
import { expect, test, vi } from 'vitest'
import { createPatchableValue, patchedValue } from '../src/redis/patchable-value.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'ä"\\', '__proto__', 'constructor', '1', '']
const SCALARS: readonly JsonValue[] = [null, 0, 1.5, true, 'x', '},"a":1', [], [null, { a: null }]]

test('[S8] patches any value per RFC 7396', () => {
  const random = seededRandom(Date.now())
  const randomObject = (depth: number): JsonObject =>
    Object.fromEntries(
      Array.from({ length: random.below(random.below(4) === 0 ? 20 : 4) }, () => [random.pick(NAMES), randomValue(depth - 1)]),
    )
  const randomValue = (depth: number): JsonValue => (depth > 0 && random.below(2) === 0 ? randomObject(depth) : random.pick(SCALARS))

  for (let round = 0; round < 2_000; round += 1) {
    let expected = random.below(4) === 0 ? undefined : randomValue(3)
    let value = expected === undefined ? undefined : createPatchableValue(expected)
    for (let step = 0; step < 4; step += 1) {
      const before = value?.toJson()
      const patch = randomObject(3)
      const next = patchedValue(value, patch)
      expected = applyPatch(expected, patch)
      expect(equalJson(JSON.parse(next.toJson()), expected), `seed ${random.seed}: ${next.toJson()}`).toBe(true)
      expect(next.size).toBeGreaterThanOrEqual(next.toJson().length)
      expect(value?.toJson()).toBe(before)
      value = next
    }
  }
})

test('[S8] a patch stringifies no field but its own', () => {
  const large = createPatchableValue(Object.fromEntries(Array.from({ length: 100 }, (_, place) => [`f${place}`, 'x'.repeat(100)])))
  const value = large.patched({ f1: 1 })
  const stringify = vi.spyOn(JSON, 'stringify')
  const text = value.patched({ f2: 2, new: 3 }).toJson()
  const characters = stringify.mock.results.reduce((sum, { value: json }) => sum + String(json).length, 0)
  stringify.mockRestore()
  expect(characters).toBeLessThan(20)
  expect(JSON.parse(text)).toMatchObject({ f1: 1, f2: 2, new: 3, f99: 'x'.repeat(100) })
})
