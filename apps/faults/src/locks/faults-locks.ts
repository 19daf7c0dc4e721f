import { DEFAULT_TIMES } from '../cluster-run.ts'
import { LOCK_BUGS } from '../planted-bug.ts'
import { reportViolations } from '../report-violations.ts'
import type { LockViolation } from './check-locks.ts'
import { lockHelp, parseLockOptions, type LockFaultsOptions } from './parse-lock-options.ts'
import { runAborts } from './run-aborts.ts'
import { runAway } from './run-away.ts'
import { runBroadcasts } from './run-broadcasts.ts'
import { runLockRounds, type LockRoundResult } from './run-lock-rounds.ts'
import { runRaces } from './run-races.ts'

const write = (text: string): void => void process.stdout.write(`${text}\n`)

const options = parseLockOptions(process.argv.slice(2))
if (options === undefined) write(`pnpm run faults:locks [options]\n${lockHelp}`)
else process.exitCode = reportViolations(await run(options), options.plant) ? 0 : 1

async function run({
  rounds,
  seed,
  clients,
  races,
  aborts,
  away,
  broadcasts,
  slack,
  redis,
  plant,
}: LockFaultsOptions): Promise<readonly LockViolation[]> {
  const setup = { seed, clients, topology: redis, bug: plant, times: DEFAULT_TIMES, slackMs: slack }
  if (plant !== undefined) write(`planted: ${LOCK_BUGS[plant].effect}`)
  if (races > 0) {
    const { wins, violations } = await runRaces(races, setup)
    write(`${races} races, Redis: ${redis}: ${wins.join(' and ')} won, ${violations.length} violations`)
    return violations
  }
  if (aborts > 0) {
    const { granted, ended, violations } = await runAborts(aborts, setup)
    write(`${aborts} ends that meet the grant, Redis: ${redis}: ${granted} granted, ${ended} ended, ${violations.length} violations`)
    return violations
  }
  if (away > 0) {
    const { kept, applied, violations } = await runAway(away * 1_000, setup)
    write(`Redis away for ${away} s: ${kept} locks kept, ${applied} bound writes applied, ${violations.length} violations`)
    return violations
  }
  if (broadcasts > 0) {
    const { received, named, longestMs, connections, violations } = await runBroadcasts(broadcasts, setup)
    write(
      `${received} of ${broadcasts} broadcasts received by the member that had just joined; ${named} calls named the stopped instance, ` +
        `after at most ${longestMs} ms; connections to Redis of each instance: ${connections?.join(', ') ?? 'not counted'}; ` +
        `${violations.length} violations`,
    )
    return violations
  }
  write(`3 instances, ${clients} clients, Redis: ${redis}, seed ${seed}`)
  const results = await runLockRounds({ ...setup, rounds }, (result) => write(lineOf(result)))
  const sum = (of: (result: LockRoundResult) => number): number => results.reduce((total, result) => total + of(result), 0)
  const violations = results.flatMap((result) => result.violations)
  write(
    `${results.length} rounds: ${sum(({ grants }) => grants)} grants, ${sum(({ queued }) => queued)} of them queued, ` +
      `${sum(({ kept }) => kept)} kept through a reconnect, ${sum(({ writes }) => writes)} bound writes, ` +
      `${sum(({ refusedWrites }) => refusedWrites)} refused with LOCK_LOST; ${sum(({ dead }) => dead)} locks of dead clients, the next grant ` +
      `after at most ${Math.max(0, ...results.map(({ longestMs }) => longestMs))} ms; ${sum(({ rooms }) => rooms.received)} of ` +
      `${sum(({ rooms }) => rooms.probes)} broadcasts received, ${sum(({ rooms }) => rooms.excused)} to missing instances or lost ` +
      `connections; ${violations.length} violations`,
  )
  return violations
}

function lineOf({ faults, grants, queued, kept, dead, longestMs, rooms, settledMs, violations }: LockRoundResult): string {
  return (
    `${faults} faults: ${grants} grants, ${queued} queued, ${kept} kept, ${dead} dead, next grant after at most ${longestMs} ms, ` +
    `${rooms.received} of ${rooms.probes} broadcasts, settled after ${settledMs} ms, ${violations.length} violations`
  )
}
