import type { PhaseName, Round } from './run-bench.ts'
import type { Figures } from './side.ts'
import { spreadOf } from './statistics.ts'

type FigureName = 'p50Ms' | 'p99Ms' | 'ackedPerSecond' | 'serverCpuMs' | 'redisCpuMs' | 'loadCpuMs'

const LABELS: Record<FigureName, string> = {
  p50Ms: 'latency p50, ms',
  p99Ms: 'latency p99, ms',
  ackedPerSecond: 'acked writes/s',
  serverCpuMs: 'server CPU per 1,000 writes, ms',
  redisCpuMs: 'Redis CPU per 1,000 writes, ms',
  loadCpuMs: 'clients’ CPU per 1,000 writes, ms',
}

const ROWS: Record<PhaseName, FigureName[]> = {
  paced: ['p50Ms', 'p99Ms', 'serverCpuMs', 'redisCpuMs', 'loadCpuMs'],
  full: ['ackedPerSecond', 'p50Ms', 'p99Ms', 'serverCpuMs', 'redisCpuMs', 'loadCpuMs'],
}

/** The rounds of one phase as a Markdown table: medians, with the least and the greatest; the ratio is taken in each round. */
export function formatTable(rounds: readonly Round[], phase: PhaseName, title: string): string {
  const cell = (numbers: number[]): string => {
    const { median, min, max } = spreadOf(numbers)
    return `${short(median)} (${short(min)}–${short(max)})`
  }
  const row = (name: FigureName): string[] => {
    const of = (figures: Figures): number => figures[name]
    const measured = rounds.map((round) => round[phase])
    return [
      LABELS[name],
      cell(measured.map(({ tutti }) => of(tutti))),
      cell(measured.map(({ control }) => of(control))),
      cell(measured.map(({ tutti, control }) => of(tutti) / of(control))),
    ]
  }
  const header = [title, 'Tutti', 'control', 'Tutti/control']
  const rows = [header, ...ROWS[phase].map(row)]
  const widths = header.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)))
  const line = (cells: string[]): string => `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |\n`
  return [header, widths.map((width) => '-'.repeat(width)), ...rows.slice(1)].map(line).join('')
}

/** Three digits that count, thousands apart. */
const short = (number: number): string =>
  number >= 100 ? Math.round(number).toLocaleString('en-US') : number.toPrecision(number >= 10 ? 3 : number >= 1 ? 3 : 2)
