import { parseArgs } from 'node:util'

/** What the command line may change, with the defaults. */
const NUMBERS = {
  rounds: { default: 5, help: 'how often both sides are measured' },
  seconds: { default: 3, help: 'length of each measurement' },
  connections: { default: 16, help: 'connections to each instance' },
  keys: { default: 64, help: 'keys in use' },
  'value-bytes': { default: 100, help: 'about how long a value is as JSON' },
  rate: { default: 500, help: 'writes/s of the paced measurement' },
} as const

/** Name of an option that is a number. */
export type NumberOption = keyof typeof NUMBERS

/** The options as given. */
export interface BenchOptions extends Record<NumberOption, number> {
  profile?: string
}

/** What `--help` prints. */
export const HELP = Object.entries(NUMBERS)
  .map(([name, { default: value, help }]) => `  --${name.padEnd(12)} ${help} (default ${value})\n`)
  .concat(`  --${'profile'.padEnd(12)} folder to write CPU profiles of Tutti's instances to\n`)
  .join('')

/** Reads the command line; undefined when it asks for help. Throws a TypeError that says what is wrong. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const string = { type: 'string' } as const
  const { values } = parseArgs({
    // pnpm hands on the `--` of `pnpm run bench -- --rounds 1`.
    args: args[0] === '--' ? args.slice(1) : [...args],
    options: {
      ...{ rounds: string, seconds: string, connections: string, keys: string, 'value-bytes': string, rate: string, profile: string },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return undefined
  const number = (name: NumberOption): number => {
    const value = Number(values[name] ?? NUMBERS[name].default)
    const fits = name === 'seconds' ? value > 0 && Number.isFinite(value) : Number.isSafeInteger(value) && value >= 1
    if (fits) return value
    throw new TypeError(
      `--${name} must be a ${name === 'seconds' ? 'number above 0' : 'whole number from 1'}, not ${String(values[name])}.`,
    )
  }
  return {
    rounds: number('rounds'),
    seconds: number('seconds'),
    connections: number('connections'),
    keys: number('keys'),
    'value-bytes': number('value-bytes'),
    rate: number('rate'),
    ...(values.profile === undefined ? {} : { profile: values.profile }),
  }
}
