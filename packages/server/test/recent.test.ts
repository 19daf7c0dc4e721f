import { seededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { createRecent } from '../src/connection/recent.ts'

test('a value is kept for a second after its last use and forgotten after three', () => {
  const random = seededRandom(11)
  let time = 0
  let created = 0
  const recent = createRecent(
    1_000,
    () => ({ number: (created += 1) }),
    () => time,
  )
  const last = new Map<string, { number: number; at: number }>()
  const wrong: unknown[] = []
  for (let count = 0; count < 5_000; count += 1) {
    time += random.below(random.pick([10, 100, 1_000, 3_000]))
    const key = random.pick(['a', 'b', 'c', 'd'])
    const { number } = recent.get(key)
    const { number: before, at } = last.get(key) ?? { number: undefined, at: -Infinity }
    const unusedMs = time - at
    if (unusedMs < 1_000 ? number !== before : unusedMs >= 3_000 && number === before) wrong.push({ key, unusedMs })
    last.set(key, { number, at: time })
  }
  expect(wrong).toEqual([])
})
