import { availableParallelism, loadavg } from 'node:os'
import { formatTable } from './format-table.ts'
import { HELP, parseOptions, type BenchOptions } from './parse-options.ts'
import { runRow, totalDeliveries, type RowResult } from './run-rows.ts'

const write = (text: string): void => void process.stdout.write(text)
const report = (text: string): void => void process.stderr.write(text)

const options = parseOptions(process.argv.slice(2))
if (options === undefined) write(`pnpm run bench [options]\n${HELP}`)
else await bench(options)

/** Tables go to the standard output, progress to the standard error. */
async function bench({ rows, rounds, profile }: BenchOptions): Promise<void> {
  const start = performance.now()
  const load = loadavg()[0]?.toFixed(1)
  write(`Node ${process.version}, ${availableParallelism()} cores, load average before ${load}, ${rounds} rounds\n`)
  const results: RowResult[] = []
  for (const row of rows) {
    const rowStart = performance.now()
    const result = await runRow(row, {
      rounds,
      profileFolder: profile,
      onCell: (_, round, column) => report(`${row.name}, round ${round}: ${column.label}\n`),
    })
    results.push(result)
    write(`\n${formatTable(result)}`)
    report(`${row.name}: ${secondsSince(rowStart)} s\n`)
  }
  const { expected, delivered, doubled } = totalDeliveries(results)
  const count = (number: number): string => number.toLocaleString('en-US')
  write(`\n${count(delivered)} of ${count(expected)} deliveries arrived, ${count(doubled)} of them twice. ${secondsSince(start)} s.\n`)
}

function secondsSince(start: number): string {
  return ((performance.now() - start) / 1000).toFixed(0)
}
