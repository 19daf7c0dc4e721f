import { helpOf, parseCommandLine, type CommandLineOptions } from '../parse-command-line.ts'
import { DURABLE_BUGS, isDurableBug } from '../planted-bug.ts'

const COMMAND_LINE = {
  defaults: { schedules: 50, seed: 1, events: 10_000, subscribers: 50, seconds: 10, kills: 20 },
  help: {
    schedules: 'how many, each with the next seed',
    seed: 'seed of the first',
    events: 'events, or jobs, of each',
    subscribers: 'subscribers, in two processes',
    seconds: 'length of each, without starting and settling',
    kills: 'killed processes of workers',
  },
  ...{ bugs: DURABLE_BUGS, isBug: isDurableBug },
} as const

/** The options as given. */
export type DurableFaultsOptions = CommandLineOptions<keyof typeof COMMAND_LINE.defaults, keyof typeof DURABLE_BUGS>

/** The output of `--help`. */
export const durableHelp = (): string => helpOf(COMMAND_LINE)

/** Parses the command lines; undefined for `--help`. Throws a TypeError that names the invalid option. */
export const parseDurableOptions = (args: readonly string[]): DurableFaultsOptions | undefined => parseCommandLine(COMMAND_LINE, args)
