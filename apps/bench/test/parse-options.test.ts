import { expect, test } from 'vitest'
import { parseOptions } from '../src/parse-options.ts'
import { ROWS } from '../src/row-table.ts'

const namesOf = (args: readonly string[]): string[] | undefined => parseOptions(args)?.rows.map(({ name }) => name)

test('the options have defaults and can be given, also after the -- of pnpm', () => {
  expect(parseOptions([])).toEqual({ rows: ROWS, rounds: 3 })
  expect(parseOptions(['--', '--rounds=2', '--profile', 'there'])).toEqual({ rows: ROWS, rounds: 2, profile: 'there' })
  expect(parseOptions(['--help'])).toBeUndefined()
})

test('each row can be measured alone, and several in the order of the table', () => {
  for (const { name } of ROWS) expect(namesOf(['--row', name])).toEqual([name])
  expect(namesOf(['--row', 'connect', '--row', 'writes'])).toEqual(['writes', 'connect'])
})

test('an unknown option, an unknown row and an invalid number are refused', () => {
  for (const wrong of [['--round', '1'], ['--rounds', '0'], ['--rounds', '1.5'], ['--rounds', 'x'], ['--row', 'write'], ['5']]) {
    expect(() => parseOptions(wrong)).toThrow(TypeError)
  }
})
