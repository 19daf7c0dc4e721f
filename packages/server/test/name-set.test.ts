import { expect, test } from 'vitest'
import { NameSet } from '../src/connection/name-set.ts'

const namesOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `name ${index}`)

test.each([1, 15, 16, 17, 100])('a set of %i names is a set, whether made at once or name by name', (count) => {
  const names = namesOf(count)
  const grown = new NameSet([])
  for (const name of [...names, ...names]) grown.add(name)
  for (const set of [grown, new NameSet([...names])]) {
    expect([...set]).toEqual(names)
    expect(set.size).toBe(count)
    expect(names.every((name) => set.has(name))).toBe(true)
    expect([set.has('another'), set.delete('another')]).toEqual([false, false])
    expect(names.map((name) => set.delete(name))).not.toContain(false)
    expect([set.size, [...set]]).toEqual([0, []])
  }
})
