import { createCommandLine } from '../parse-command-line.ts'
import { isLockBug, LOCK_BUGS } from '../planted-bug.ts'

export const { help: lockHelp, parse: parseLockOptions } = createCommandLine({
  defaults: { rounds: 50, seed: 1, clients: 60, races: 0, aborts: 0, away: 0, broadcasts: 0, slack: 0 },
  help: {
    rounds: 'rounds, in each of which an instance is killed',
    seed: 'seed of the faults',
    clients: 'connected clients, three for each key',
    races: 'instead of rounds: so many races of two instances for one lock (L1)',
    aborts: 'instead of rounds: so many time limits and aborts that meet the grant (L4)',
    away: 'instead of rounds: Redis is away for so many seconds, while clients have locks (L3)',
    broadcasts: 'instead of rounds: so many joins, each followed by a broadcast of another instance; then one is stopped (R1)',
    slack: 'added to the bounds of times, milliseconds: for a busy machine',
  },
  ...{ bugs: LOCK_BUGS, isBug: isLockBug },
})

/** The options as given. */
export type LockFaultsOptions = NonNullable<ReturnType<typeof parseLockOptions>>
