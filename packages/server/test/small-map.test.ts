import { seededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { SmallMap } from '../src/connection/small-map.ts'

test('a small map is the same as a Map after each step', () => {
  const random = seededRandom(7)
  const [small, map] = [new SmallMap<string, number>(), new Map<string, number>()]
  const steps: ((key: string, value: number) => unknown[])[] = [
    (key, value) => [small.set(key, value) === small, map.set(key, value) === map],
    (key) => [small.delete(key), map.delete(key)],
    (key) => [small.get(key), map.get(key)],
    (key) => [small.has(key), map.has(key)],
    (_key, value) => (value > 90 ? [small.clear(), map.clear()] : []),
  ]
  for (let count = 0; count < 1_000; count += 1) {
    const [one, other] = random.pick(steps)(random.pick(['a', 'b', 'c']), random.below(100))
    expect(one).toBe(other)
    expect([small.size, ...small.keys(), ...small.values()]).toEqual([map.size, ...map.keys(), ...map.values()])
    expect([...small.entries()]).toEqual([...map])
    expect([...new SmallMap(map)]).toEqual([...map])
    const visited: [string, number][] = []
    small.forEach((value, key) => visited.push([key, value]))
    expect(visited).toEqual([...map])
  }
})
