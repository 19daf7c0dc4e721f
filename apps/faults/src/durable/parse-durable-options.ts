import { parseArgs } from 'node:util'
import { DURABLE_BUGS, isDurableBug, type DurableBug } from '../planted-bug.ts'
import { TOPOLOGIES, type TopologyName } from '../redis-topology.ts'

/** The options of the command lines, with the defaults. */
const NUMBERS = {
  schedules: { default: 50, help: 'how many, each with the next seed' },
  seed: { default: 1, help: 'seed of the first' },
  events: { default: 10_000, help: 'events, or jobs, of each' },
  subscribers: { default: 50, help: 'subscribers, in two processes' },
  seconds: { default: 10, help: 'length of each, without starting and settling' },
  kills: { default: 20, help: 'killed processes of workers' },
} as const

type NumberName = keyof typeof NUMBERS
const isNumberName = (name: string): name is NumberName => name in NUMBERS

/** The options as given. */
export interface DurableFaultsOptions extends Record<NumberName, number> {
  redis: TopologyName
  plant?: DurableBug
}

/** The output of `--help`. */
export const durableHelp = (): string =>
  Object.entries(NUMBERS)
    .map(([name, { default: value, help }]) => `  --${name.padEnd(11)} ${help} (default ${value})\n`)
    .concat(`  --redis       ${TOPOLOGIES.join(', ')} (default standalone)\n`)
    .concat(Object.entries(DURABLE_BUGS).map(([name, { effect }]) => `  --plant ${name}: ${effect}\n`))
    .join('')

/** Parses the command line; undefined for `--help`. Throws a TypeError that names the invalid option. */
export function parseDurableOptions(args: readonly string[]): DurableFaultsOptions | undefined {
  const string = { type: 'string' } as const
  const { values } = parseArgs({
    // pnpm passes on the `--` of `pnpm run faults:durable -- --seed 7`.
    args: args[0] === '--' ? args.slice(1) : [...args],
    options: {
      ...{ schedules: string, seed: string, events: string, subscribers: string, seconds: string, kills: string },
      ...{ redis: string, plant: string, help: { type: 'boolean' } },
    },
  })
  if (values.help === true) return undefined
  const { plant } = values
  const options: DurableFaultsOptions = {
    ...{ schedules: 50, seed: 1, events: 10_000, subscribers: 50, seconds: 10, kills: 20, redis: 'standalone' },
  }
  for (const name of Object.keys(NUMBERS).filter(isNumberName)) {
    const value = Number(values[name] ?? NUMBERS[name].default)
    if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`--${name} must be a whole number from 1, not ${values[name]}.`)
    options[name] = value
  }
  const redis = TOPOLOGIES.find((name) => name === (values.redis ?? 'standalone'))
  if (redis === undefined) throw new TypeError(`--redis must be one of ${TOPOLOGIES.join(', ')}, not ${values.redis}.`)
  if (plant !== undefined && !isDurableBug(plant))
    throw new TypeError(`--plant must be one of ${Object.keys(DURABLE_BUGS).join(', ')}, not ${plant}.`)
  return { ...options, redis, ...(plant === undefined ? {} : { plant }) }
}
