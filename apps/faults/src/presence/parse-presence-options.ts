import { createCommandLine } from '../parse-command-line.ts'
import { isPresenceBug, PRESENCE_BUGS } from '../planted-bug.ts'

export const { help: presenceHelp, parse: parsePresenceOptions } = createCommandLine({
  defaults: { rounds: 100, seed: 1, members: 300, reconnects: 0, slack: 0, silent: 0 },
  help: {
    rounds: 'kills of one or two instances',
    seed: 'seed of the faults',
    members: 'connected clients',
    reconnects: 'instead of rounds: cuts connections until so many clients have reconnected (P2)',
    slack: 'added to the bounds of times (to the beginning of a grace 1,500 at most), milliseconds: for a busy machine',
    silent: 'instead of rounds: so many clients vanish without closing their connection (P7)',
  },
  ...{ bugs: PRESENCE_BUGS, isBug: isPresenceBug },
})

/** The options as given. */
export type PresenceFaultsOptions = NonNullable<ReturnType<typeof parsePresenceOptions>>
