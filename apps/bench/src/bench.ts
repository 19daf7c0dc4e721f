import { availableParallelism, loadavg } from 'node:os'
import { formatTable } from './format-table.ts'
import { HELP, parseOptions, type BenchOptions } from './parse-options.ts'
import { runBench, type Round } from './run-bench.ts'

const write = (text: string): void => void process.stdout.write(text)

const options = parseOptions(process.argv.slice(2))
if (options === undefined) write(`pnpm run bench [options]\n${HELP}`)
else await bench(options)

async function bench({ rounds: count, seconds, rate, connections, keys, profile, ...rest }: BenchOptions): Promise<void> {
  const valueBytes = rest['value-bytes']
  write(`${count} rounds; 2 instances on one Redis for each side; ${connections} connections to each instance; ${keys} keys; `)
  write(`values of about ${valueBytes} bytes\n`)
  write(`Node ${process.version}, ${availableParallelism()} cores, load average before ${loadavg()[0]?.toFixed(1)}\n`)
  const rounds = await runBench(
    {
      ...{ rounds: count, connections, keys, valueBytes, profileFolder: profile },
      // By writes, not by time: on a busy machine 2 s were too short for the JIT, and the longer code lost by it.
      warmUp: { seconds: 30, rate: 0, maxWrites: 30_000 },
      phases: { paced: { seconds, rate }, full: { seconds, rate: 0 } },
    },
    (done) => write(`round ${done} of ${count}\n`),
  )
  write(`\n${formatTable(rounds, 'paced', `At ${rate} writes/s`)}`)
  write(`\n${formatTable(rounds, 'full', 'As fast as acknowledged')}`)
  write(`\n${total(rounds, 'delivered')} of ${total(rounds, 'sent')} writes were delivered, ${total(rounds, 'doubled')} of them twice.\n`)
}

function total(rounds: readonly Round[], name: 'sent' | 'delivered' | 'doubled'): string {
  const all = rounds.flatMap(({ paced, full }) => [paced.tutti, paced.control, full.tutti, full.control])
  return all.reduce((sum, figures) => sum + figures[name], 0).toLocaleString('en-US')
}
