import { spreadOf } from './measure/statistics.ts'
import { boundOf, meets, REQUIRED_VALUES, type Requirement } from './required-values.ts'
import type { RowResult } from './run-rows.ts'

/**
 * A row as a Markdown table: the median of each column; for all columns but the first the ratio to the first one, taken in each
 * round, as median (least–greatest); and whether the required value is reached.
 */
export function formatTable({ row, rounds }: RowResult): string {
  const [base, ...others] = row.columns
  const valuesOf = (label: string, figure: string): number[] => rounds.map((round) => round.get(label)?.figures[figure] ?? Number.NaN)
  const ratiosOf = (label: string, figure: string): number[] => {
    const bases = valuesOf(base.label, figure)
    return valuesOf(label, figure).map((value, index) => value / (bases[index] ?? Number.NaN))
  }

  /** The columns that a requirement holds for: those of Tutti; of the row whose columns are all Tutti, those beside the base. */
  const judged = row.columns.filter((column) => column.side === 'tutti' && (column !== base || others.length === 0))
  const verdictOf = (requirement: Requirement, figure: string): string => {
    const verdicts = judged.map(({ label }) => {
      const numbers = requirement.kind === 'ratio' ? ratiosOf(label, figure) : valuesOf(label, figure)
      return { label, verdict: meets(boundOf(requirement, label), spreadOf(numbers).median) ? 'reached' : '**missed**' }
    })
    const [first, ...rest] = verdicts
    if (rest.every(({ verdict }) => verdict === first?.verdict)) return first?.verdict ?? ''
    return verdicts.map(({ label, verdict }) => `${label}: ${verdict}`).join(', ')
  }
  const line = (figure: string): string[] => {
    const requirement = REQUIRED_VALUES[row.name]?.[figure]
    return [
      figure,
      ...row.columns.map(({ label }) => short(spreadOf(valuesOf(label, figure)).median)),
      ...others.map(({ label }) => spread(ratiosOf(label, figure))),
      requirement === undefined ? '' : textOf(requirement),
      requirement === undefined ? '' : verdictOf(requirement, figure),
    ]
  }
  const header = [
    `\`${row.name}\``,
    ...row.columns.map(({ label }) => label),
    ...others.map(({ label }) => `${label} / ${base.label}`),
    ...['required', ''],
  ]
  return `${row.name}: ${row.title}\n\n${markdown([header, ...row.figures.map(line)])}`
}

function markdown(rows: readonly string[][]): string {
  const [header = [], ...rest] = rows
  const widths = header.map((_, column) => Math.max(3, ...rows.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: string[]): string => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |\n`
  return [header, widths.map((width) => '-'.repeat(width)), ...rest].map(line).join('')
}

function textOf(requirement: Requirement): string {
  const own = Object.keys(requirement.columns ?? {}).map((label) => `${label}: ${boundText(requirement, label)}`)
  return [(requirement.kind === 'ratio' ? 'ratio ' : '') + boundText(requirement, ''), ...own].join('; ')
}

function boundText(requirement: Requirement, column: string): string {
  const { atLeast, atMost } = boundOf(requirement, column)
  return atLeast === undefined ? `≤ ${short(atMost ?? Number.NaN)}` : `≥ ${short(atLeast)}`
}

function spread(numbers: readonly number[]): string {
  const { median, min, max } = spreadOf(numbers)
  return numbers.length === 1 ? short(median) : `${short(median)} (${short(min)}–${short(max)})`
}

/** Three digits that count, thousands apart. */
function short(number: number): string {
  if (!Number.isFinite(number)) return '–'
  const size = Math.abs(number)
  if (size >= 100) return Math.round(number).toLocaleString('en-US')
  if (Number.isInteger(number)) return String(number)
  return number.toPrecision(size >= 0.995 ? 3 : 2)
}
