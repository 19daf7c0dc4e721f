import { createCommandLine } from './parse-command-line.ts'
import { isStateBug, STATE_BUGS } from './planted-bug.ts'

export const { help: faultsHelp, parse: parseOptions } = createCommandLine({
  defaults: { schedules: 50, seed: 1, seconds: 6 },
  help: {
    schedules: 'how many, each with the next seed',
    seed: 'seed of the first',
    seconds: 'length of each, without starting and settling',
  },
  fraction: 'seconds',
  ...{ bugs: STATE_BUGS, isBug: isStateBug },
})

/** The options as given. */
export type FaultsOptions = NonNullable<ReturnType<typeof parseOptions>>
