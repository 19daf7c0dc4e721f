import { expect, test } from 'vitest'
import { parseOptions } from '../src/parse-options.ts'

test('options have defaults and can be given, also after the -- that pnpm hands on', () => {
  expect(parseOptions([])).toEqual({ rounds: 5, seconds: 3, connections: 16, keys: 64, 'value-bytes': 100, rate: 500 })
  expect(parseOptions(['--', '--seconds', '0.5', '--keys=2', '--profile', 'there'])).toMatchObject({
    seconds: 0.5,
    keys: 2,
    profile: 'there',
  })
})

test('what is no option, or no number that fits, is refused', () => {
  for (const wrong of [['--round', '1'], ['--rounds', '0'], ['--keys', '1.5'], ['--seconds', 'x'], ['--seconds', '0'], ['5']]) {
    expect(() => parseOptions(wrong)).toThrow(TypeError)
  }
})
