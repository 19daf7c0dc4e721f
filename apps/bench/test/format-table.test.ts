import { expect, test } from 'vitest'
import { formatTable } from '../src/format-table.ts'
import { REQUIRED_VALUES } from '../src/required-values.ts'
import { SIDE_COLUMNS, type Cell, type Row } from '../src/row.ts'
import { ROWS } from '../src/row-table.ts'

const row: Row = {
  name: 'closed-loop',
  title: 'a title',
  figures: ['ack p50, ms', 'not required'],
  columns: SIDE_COLUMNS,
  measure: () => Promise.reject(new Error('The table measures nothing.')),
}

const cell = (ack: number): Cell => ({
  figures: { 'ack p50, ms': ack, 'not required': 5 },
  deliveries: { expected: 0, delivered: 0, doubled: 0 },
})

const round = (relay: number, tutti: number): Map<string, Cell> =>
  new Map([
    ['relay', cell(relay)],
    ['Tutti', cell(tutti)],
    ['adapter', cell(10 * relay)],
  ])

/** The cells of the line that begins with a name. */
const cellsOf = (table: string, name: string): string[] | undefined =>
  table
    .split('\n')
    .map((line) => line.split('|').map((text) => text.trim()))
    .find(([, first]) => first === name)
    ?.slice(1, -1)

test('the table contains medians, ratios of each round, and the required values', () => {
  const rounds = [round(1, 1.1), round(2, 2), round(3, 3.9)]
  expect(cellsOf(formatTable({ row, rounds }), 'ack p50, ms')).toEqual([
    'ack p50, ms',
    ...['2', '2', '20'],
    ...['1.10 (1–1.30)', '10 (10–10)'],
    ...['ratio ≤ 1.25', 'reached'],
  ])
})

test('a figure below its required value is marked, one without a required value is not', () => {
  const table = formatTable({ row, rounds: [round(1, 1.3)] })
  expect(cellsOf(table, 'ack p50, ms')?.at(-1)).toBe('**missed**')
  expect(cellsOf(table, 'not required')?.slice(-2)).toEqual(['', ''])
})

test('a column can have a required value of its own', () => {
  const figures = ['acked writes/s']
  const columns: Row['columns'] = [
    SIDE_COLUMNS[0],
    { ...SIDE_COLUMNS[1], label: 'Tutti numbered' },
    { ...SIDE_COLUMNS[1], label: 'Tutti plain' },
  ]
  const writes = (count: number): Cell => ({ figures: { 'acked writes/s': count }, deliveries: { expected: 0, delivered: 0, doubled: 0 } })
  const cells = new Map([
    ['relay', writes(100)],
    ['Tutti numbered', writes(90)],
    ['Tutti plain', writes(90)],
  ])
  const table = formatTable({ row: { ...row, name: 'writes', figures, columns }, rounds: [cells] })
  expect(cellsOf(table, 'acked writes/s')?.slice(-2)).toEqual([
    'ratio ≥ 1; Tutti numbered: ≥ 0.85',
    'Tutti numbered: reached, Tutti plain: **missed**',
  ])
})

test('each required value is of a figure of a row', () => {
  for (const [name, figures] of Object.entries(REQUIRED_VALUES)) {
    expect(ROWS.find((any) => any.name === name)?.figures).toEqual(expect.arrayContaining(Object.keys(figures)))
  }
})
