import { parseArgs } from 'node:util'
import { isStateBug, STATE_BUGS, type StateBug } from './planted-bug.ts'
import { TOPOLOGIES, type TopologyName } from './redis-topology.ts'

/** The options of the command line, with the defaults. */
const NUMBERS = {
  schedules: { default: 50, help: 'how many, each with the next seed' },
  seed: { default: 1, help: 'seed of the first' },
  seconds: { default: 6, help: 'length of each, without starting and settling' },
} as const

/** The options as given. */
export interface FaultsOptions extends Record<keyof typeof NUMBERS, number> {
  redis: TopologyName
  plant?: StateBug
}

/** The output of `--help`. */
export const HELP = Object.entries(NUMBERS)
  .map(([name, { default: value, help }]) => `  --${name.padEnd(10)} ${help} (default ${value})\n`)
  .concat(`  --redis      ${TOPOLOGIES.join(', ')} (default standalone)\n`)
  .concat(Object.entries(STATE_BUGS).map(([name, { effect }]) => `  --plant ${name}: ${effect}\n`))
  .join('')

/** Parses the command line; undefined for `--help`. Throws a TypeError that names the invalid option. */
export function parseOptions(args: readonly string[]): FaultsOptions | undefined {
  const string = { type: 'string' } as const
  const { values } = parseArgs({
    // pnpm passes on the `--` of `pnpm run faults -- --seed 7`.
    args: args[0] === '--' ? args.slice(1) : [...args],
    options: { schedules: string, seed: string, seconds: string, redis: string, plant: string, help: { type: 'boolean' } },
  })
  if (values.help === true) return undefined
  const number = (name: keyof typeof NUMBERS): number => {
    const value = Number(values[name] ?? NUMBERS[name].default)
    if (name === 'seconds' ? value > 0 && Number.isFinite(value) : Number.isSafeInteger(value) && value >= 1) return value
    throw new TypeError(
      `--${name} must be a ${name === 'seconds' ? 'number above 0' : 'whole number from 1'}, not ${String(values[name])}.`,
    )
  }
  const { plant } = values
  const redis = TOPOLOGIES.find((name) => name === (values.redis ?? 'standalone'))
  if (redis === undefined) throw new TypeError(`--redis must be one of ${TOPOLOGIES.join(', ')}, not ${String(values.redis)}.`)
  if (plant !== undefined && !isStateBug(plant))
    throw new TypeError(`--plant must be one of ${Object.keys(STATE_BUGS).join(', ')}, not ${plant}.`)
  const numbers = { schedules: number('schedules'), seed: number('seed'), seconds: number('seconds') }
  return { ...numbers, redis, ...(plant === undefined ? {} : { plant }) }
}
