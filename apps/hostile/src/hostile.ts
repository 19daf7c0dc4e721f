import { parseArgs } from 'node:util'
import { p95 } from './bystanders.ts'
import { runHostile, type AttackResult } from './run-hostile.ts'

const DEFAULTS = { seed: 1, messages: 20_000, seconds: 12, samples: 1_000 }
const HELP = `pnpm run hostile [options]
  --seed      what is drawn (default ${DEFAULTS.seed})
  --messages  drawn messages (default ${DEFAULTS.messages})
  --seconds   length of the attacks that have no end of their own (default ${DEFAULTS.seconds})
  --samples   timed changes of honest clients, without and during each attack (default ${DEFAULTS.samples})
`
const write = (text: string): void => void process.stdout.write(text)

/** The effect on legitimate clients: 95th percentiles, their ratio, and the number of changes. */
const comparison = (calm: readonly number[], attacked: readonly number[]): string =>
  `honest p95 ${p95(calm).toFixed(1)} ms without, ${p95(attacked).toFixed(1)} ms during (${(p95(attacked) / p95(calm)).toFixed(2)} x, ${attacked.length} changes)`

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1)} MiB`

const string = { type: 'string' } as const
const { values } = parseArgs({
  // pnpm passes on the `--` of `pnpm run hostile -- --seed 7`.
  args: process.argv.slice(2).filter((arg) => arg !== '--'),
  options: { seed: string, messages: string, seconds: string, samples: string, help: { type: 'boolean' } },
})
if (values.help === true) write(HELP)
else process.exitCode = await run()

async function run(): Promise<number> {
  const number = (name: keyof typeof DEFAULTS): number => {
    const value = Number(values[name] ?? DEFAULTS[name])
    if (Number.isSafeInteger(value) && value >= 1) return value
    throw new TypeError(`--${name} must be a whole number from 1, not ${values[name]}.`)
  }
  const options = { seed: number('seed'), messages: number('messages'), forMs: number('seconds') * 1_000, samples: number('samples') }
  write(`seed ${options.seed}, two instances under the documented Redis user\n`)
  const { attacks, breaches, heaps } = await runHostile(options, report)
  const calm = attacks.flatMap((attack) => attack.calm)
  const attacked = attacks.flatMap((attack) => attack.attacked)
  write(`all attacks: ${comparison(calm, attacked)}\n`)
  for (const [place, { before, after }] of heaps.entries())
    write(`heap of instance ${place}: ${megabytes(before)} before, ${megabytes(after)} after\n`)
  for (const breach of breaches) write(`BREACH ${breach}\n`)
  write(`${breaches.length} breaches\n`)
  return breaches.length === 0 ? 0 : 1
}

function report({ name, counts, leaks, calm, attacked }: AttackResult): void {
  const sent = Object.values(counts).reduce((sum, count) => sum + count, 0)
  write(`${name}: ${sent.toLocaleString('en-US')} outcomes, ${leaks} secrets received; ${comparison(calm, attacked)}\n`)
  for (const [outcome, count] of Object.entries(counts).toSorted(([one], [other]) => one.localeCompare(other)))
    write(`  ${count.toLocaleString('en-US').padStart(8)} ${outcome}\n`)
}
