import { createCommandLine } from '../parse-command-line.ts'
import { DURABLE_BUGS, isDurableBug } from '../planted-bug.ts'

export const { help: durableHelp, parse: parseDurableOptions } = createCommandLine({
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
})
