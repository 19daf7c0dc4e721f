import { helpOf, parseCommandLine, type CommandLineOptions } from './parse-command-line.ts'
import { isStateBug, STATE_BUGS } from './planted-bug.ts'

const COMMAND_LINE = {
  defaults: { schedules: 50, seed: 1, seconds: 6 },
  help: {
    schedules: 'how many, each with the next seed',
    seed: 'seed of the first',
    seconds: 'length of each, without starting and settling',
  },
  fraction: 'seconds',
  ...{ bugs: STATE_BUGS, isBug: isStateBug },
} as const

/** The options as given. */
export type FaultsOptions = CommandLineOptions<keyof typeof COMMAND_LINE.defaults, keyof typeof STATE_BUGS>

/** The output of `--help`. */
export const HELP = helpOf(COMMAND_LINE)

/** Parses the command line; undefined for `--help`. Throws a TypeError that names the invalid option. */
export const parseOptions = (args: readonly string[]): FaultsOptions | undefined => parseCommandLine(COMMAND_LINE, args)
