import { parseArgs } from 'node:util'
import { TOPOLOGIES, type TopologyName } from './redis-topology.ts'

/** The options of one command line. */
interface CommandLine<Name extends string, Bug extends string> {
  /** Numbers with their defaults. Those with the default 0 may be 0, the others are at least 1. */
  readonly defaults: Readonly<Record<Name, number>>
  readonly help: Readonly<Record<Name, string>>
  /** The one that need not be whole. */
  readonly fraction?: NoInfer<Name>
  readonly bugs: Readonly<Record<Bug, { readonly effect: string }>>
  readonly isBug: (name: unknown) => name is Bug
}

/** The options as given. */
type CommandLineOptions<Name extends string, Bug extends string> = Record<Name, number> & { redis: TopologyName; plant?: Bug }

/** Makes the parser of a command line. */
export const createCommandLine = <Name extends string, Bug extends string>(commandLine: CommandLine<Name, Bug>) => ({
  /** The output of `--help`. */
  help: helpOf(commandLine),
  /** Parses it; undefined for `--help`. Throws a TypeError that names the invalid option. */
  parse: (args: readonly string[]): CommandLineOptions<Name, Bug> | undefined => parseCommandLine(commandLine, args),
})

const helpOf = ({ defaults, help, bugs }: CommandLine<string, string>): string =>
  Object.entries(defaults)
    .map(([name, value]) => `  --${name.padEnd(11)} ${help[name]} (default ${value})\n`)
    .concat(`  --redis       ${TOPOLOGIES.join(', ')} (default standalone)\n`)
    .concat(Object.entries(bugs).map(([name, { effect }]) => `  --plant ${name}: ${effect}\n`))
    .join('')

function parseCommandLine<Name extends string, Bug extends string>(
  { defaults, fraction, bugs, isBug }: CommandLine<Name, Bug>,
  args: readonly string[],
): CommandLineOptions<Name, Bug> | undefined {
  const isName = (name: string): name is Name => Object.hasOwn(defaults, name)
  const names = Object.keys(defaults).filter(isName)
  const { values }: { values: Readonly<Record<string, unknown>> } = parseArgs({
    // pnpm passes on the `--` of `pnpm run faults -- --seed 7`.
    args: args[0] === '--' ? args.slice(1) : [...args],
    options: {
      ...Object.fromEntries([...names, 'redis', 'plant'].map((name) => [name, { type: 'string' } as const])),
      help: { type: 'boolean' },
    },
  })
  if (values['help'] === true) return undefined
  const given = (name: string): string | undefined => {
    const value = values[name]
    return typeof value === 'string' ? value : undefined
  }
  const numbers: Record<Name, number> = { ...defaults }
  for (const name of names) {
    const value = Number(given(name) ?? defaults[name])
    const least = defaults[name] === 0 ? 0 : 1
    const isValid = name === fraction ? value > 0 && Number.isFinite(value) : Number.isSafeInteger(value) && value >= least
    const wanted = name === fraction ? 'a number above 0' : `a whole number from ${least}`
    if (!isValid) throw new TypeError(`--${name} must be ${wanted}, not ${given(name)}.`)
    numbers[name] = value
  }
  const [topology, plant] = [given('redis') ?? 'standalone', given('plant')]
  const redis = TOPOLOGIES.find((name) => name === topology)
  if (redis === undefined) throw new TypeError(`--redis must be one of ${TOPOLOGIES.join(', ')}, not ${topology}.`)
  if (plant !== undefined && !isBug(plant)) throw new TypeError(`--plant must be one of ${Object.keys(bugs).join(', ')}, not ${plant}.`)
  return { ...numbers, redis, ...(plant === undefined ? {} : { plant }) }
}
