import { parseArgs } from 'node:util'
import type { Row } from './row.ts'
import { ROWS } from './row-table.ts'

const DEFAULT_ROUNDS = 3

/** The options as given. */
export interface BenchOptions {
  rows: readonly Row[]
  rounds: number
  /** Folder for CPU profiles of Tutti's instances and their clients. */
  profile?: string
}

/** What `--help` prints. */
export const HELP = [
  `  --row <name>     measure this row only; may be given several times. Default: all\n`,
  ...ROWS.map(({ name, title }) => `                   ${name.padEnd(14)} ${title}\n`),
  `  --rounds <n>     how often each row is measured (default ${DEFAULT_ROUNDS})\n`,
  `  --profile <dir>  folder to write CPU profiles of Tutti's instances and clients to; leave out the figures of such a run\n`,
].join('')

/** Reads the command line; undefined for `--help`. Throws a TypeError that names the option. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    // pnpm passes on the `--` of `pnpm run bench -- --rounds 1`.
    args: args[0] === '--' ? args.slice(1) : [...args],
    options: {
      row: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean' },
    },
  })
  if (values.help === true) return undefined
  const rounds = Number(values.rounds ?? DEFAULT_ROUNDS)
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new TypeError(`--rounds must be a whole number from 1, not ${values.rounds}.`)
  const unknown = values.row?.find((name) => !ROWS.some((row) => row.name === name))
  if (unknown !== undefined) throw new TypeError(`--row must be one of ${ROWS.map(({ name }) => name).join(', ')}, not ${unknown}.`)
  return {
    rows: ROWS.filter(({ name }) => values.row === undefined || values.row.includes(name)),
    rounds,
    ...(values.profile === undefined ? {} : { profile: values.profile }),
  }
}
