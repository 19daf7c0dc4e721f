import { parseArgs } from 'node:util'
import { isLockBug, LOCK_BUGS, type LockBug } from '../planted-bug.ts'
import { TOPOLOGIES, type TopologyName } from '../redis-topology.ts'

/** The options of the command line, with the defaults. */
const NUMBERS = {
  rounds: { default: 50, help: 'rounds, in each of which an instance is killed' },
  seed: { default: 1, help: 'seed of the faults' },
  clients: { default: 60, help: 'connected clients, three for each key' },
  races: { default: 0, help: 'instead of rounds: so many races of two instances for one lock (L1)' },
  aborts: { default: 0, help: 'instead of rounds: so many time limits and aborts that meet the grant (L4)' },
  away: { default: 0, help: 'instead of rounds: Redis is away for so many seconds, while clients have locks (L3)' },
  slack: { default: 0, help: 'added to the bounds of times, milliseconds: for a busy machine' },
} as const

type NumberName = keyof typeof NUMBERS
const isNumberName = (name: string): name is NumberName => name in NUMBERS

/** The options as given. */
export interface LockFaultsOptions extends Record<NumberName, number> {
  redis: TopologyName
  plant?: LockBug
}

/** The output of `--help`. */
export const LOCK_HELP = Object.entries(NUMBERS)
  .map(([name, { default: value, help }]) => `  --${name.padEnd(11)} ${help} (default ${value})\n`)
  .concat(`  --redis       ${TOPOLOGIES.join(', ')} (default standalone)\n`)
  .concat(Object.entries(LOCK_BUGS).map(([name, { effect }]) => `  --plant ${name}: ${effect}\n`))
  .join('')

/** Parses the command line; undefined for `--help`. Throws a TypeError that names the invalid option. */
export function parseLockOptions(args: readonly string[]): LockFaultsOptions | undefined {
  const string = { type: 'string' } as const
  const { values } = parseArgs({
    // pnpm passes on the `--` of `pnpm run faults:locks -- --seed 7`.
    args: args[0] === '--' ? args.slice(1) : [...args],
    options: {
      ...{ rounds: string, seed: string, clients: string, races: string, aborts: string, away: string, slack: string },
      ...{ redis: string, plant: string, help: { type: 'boolean' } },
    },
  })
  if (values.help === true) return undefined
  const { plant } = values
  const options: LockFaultsOptions = {
    ...{ rounds: 50, seed: 1, clients: 60, races: 0, aborts: 0, away: 0, slack: 0, redis: 'standalone' },
  }
  for (const name of Object.keys(NUMBERS).filter(isNumberName)) {
    const value = Number(values[name] ?? NUMBERS[name].default)
    const least = NUMBERS[name].default === 0 ? 0 : 1
    if (!Number.isSafeInteger(value) || value < least)
      throw new TypeError(`--${name} must be a whole number from ${least}, not ${values[name]}.`)
    options[name] = value
  }
  const redis = TOPOLOGIES.find((name) => name === (values.redis ?? 'standalone'))
  if (redis === undefined) throw new TypeError(`--redis must be one of ${TOPOLOGIES.join(', ')}, not ${values.redis}.`)
  if (plant !== undefined && !isLockBug(plant))
    throw new TypeError(`--plant must be one of ${Object.keys(LOCK_BUGS).join(', ')}, not ${plant}.`)
  return { ...options, redis, ...(plant === undefined ? {} : { plant }) }
}
