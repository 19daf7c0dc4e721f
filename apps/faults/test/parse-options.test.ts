import { expect, test } from 'vitest'
import { faultsHelp, parseOptions } from '../src/parse-options.ts'

test('options have defaults, and are accepted after the -- of pnpm', () => {
  expect(parseOptions([])).toEqual({ schedules: 50, seed: 1, seconds: 6, redis: 'standalone' })
  expect(parseOptions(['--', '--schedules', '2', '--seed=7', '--seconds', '0.5', '--redis', 'cluster'])).toEqual({
    schedules: 2,
    seed: 7,
    seconds: 0.5,
    redis: 'cluster',
  })
  expect(parseOptions(['--help'])).toBeUndefined()
  expect(faultsHelp).toContain('--seed')
})

test('an invalid number is refused with the name of its option', () => {
  for (const args of [
    ['--schedules', '0'],
    ['--seed', '1.5'],
    ['--seconds', 'long'],
    ['--redis', 'many'],
  ]) {
    expect(() => parseOptions(args)).toThrow(args[0])
  }
})
