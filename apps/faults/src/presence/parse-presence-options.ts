import { parseArgs } from 'node:util'
import { isPresenceBug, PRESENCE_BUGS, type PresenceBug } from '../planted-bug.ts'
import { TOPOLOGIES, type TopologyName } from '../redis-topology.ts'

/** The options of the command line, with the defaults. */
const NUMBERS = {
  rounds: { default: 100, help: 'kills of one or two instances' },
  seed: { default: 1, help: 'seed of the faults' },
  members: { default: 300, help: 'connected clients' },
  reconnects: { default: 0, help: 'instead of rounds: cuts connections until so many clients have reconnected (P2)' },
  slack: { default: 0, help: 'added to the bounds of times (to the beginning of a grace 1,500 at most), milliseconds: for a busy machine' },
  silent: { default: 0, help: 'instead of rounds: so many clients vanish without closing their connection (P7)' },
} as const

type NumberName = keyof typeof NUMBERS
const isNumberName = (name: string): name is NumberName => name in NUMBERS

/** The options as given. */
export interface PresenceFaultsOptions extends Record<NumberName, number> {
  redis: TopologyName
  plant?: PresenceBug
}

/** The output of `--help`. */
export const HELP = Object.entries(NUMBERS)
  .map(([name, { default: value, help }]) => `  --${name.padEnd(11)} ${help} (default ${value})\n`)
  .concat(`  --redis       ${TOPOLOGIES.join(', ')} (default standalone)\n`)
  .concat(Object.entries(PRESENCE_BUGS).map(([name, { effect }]) => `  --plant ${name}: ${effect}\n`))
  .join('')

/** Parses the command line; undefined for `--help`. Throws a TypeError that names the invalid option. */
export function parsePresenceOptions(args: readonly string[]): PresenceFaultsOptions | undefined {
  const string = { type: 'string' } as const
  const { values } = parseArgs({
    // pnpm passes on the `--` of `pnpm run faults:presence -- --seed 7`.
    args: args[0] === '--' ? args.slice(1) : [...args],
    options: {
      ...{ rounds: string, seed: string, members: string, reconnects: string, silent: string, slack: string },
      ...{ redis: string, plant: string, help: { type: 'boolean' } },
    },
  })
  if (values.help === true) return undefined
  const { plant } = values
  const options: PresenceFaultsOptions = { rounds: 100, seed: 1, members: 300, reconnects: 0, silent: 0, slack: 0, redis: 'standalone' }
  for (const name of Object.keys(NUMBERS).filter(isNumberName)) {
    const value = Number(values[name] ?? NUMBERS[name].default)
    const least = NUMBERS[name].default === 0 ? 0 : 1
    if (!Number.isSafeInteger(value) || value < least)
      throw new TypeError(`--${name} must be a whole number from ${least}, not ${values[name]}.`)
    options[name] = value
  }
  const redis = TOPOLOGIES.find((name) => name === (values.redis ?? 'standalone'))
  if (redis === undefined) throw new TypeError(`--redis must be one of ${TOPOLOGIES.join(', ')}, not ${values.redis}.`)
  if (plant !== undefined && !isPresenceBug(plant))
    throw new TypeError(`--plant must be one of ${Object.keys(PRESENCE_BUGS).join(', ')}, not ${plant}.`)
  return { ...options, redis, ...(plant === undefined ? {} : { plant }) }
}
