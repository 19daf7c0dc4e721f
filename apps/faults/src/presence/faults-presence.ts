import { DEFAULT_TIMES } from '../cluster-run.ts'
import { PRESENCE_BUGS } from '../planted-bug.ts'
import { reportViolations } from '../report-violations.ts'
import { parsePresenceOptions, presenceHelp, type PresenceFaultsOptions } from './parse-presence-options.ts'
import type { PresenceRunOptions } from './presence-run.ts'
import { runReconnects } from './run-reconnects.ts'
import { runRounds, type RoundResult } from './run-rounds.ts'
import { runSilentClients } from './run-silent-clients.ts'

const write = (text: string): void => void process.stdout.write(`${text}\n`)

const options = parsePresenceOptions(process.argv.slice(2))
if (options === undefined) write(`pnpm run faults:presence [options]\n${presenceHelp}`)
else process.exitCode = (await run(options)) ? 0 : 1

/** Returns whether the result is as expected: no violation, or, with a planted bug, a violation. */
async function run({ seed, members, rounds, reconnects, silent, slack, redis, plant }: PresenceFaultsOptions): Promise<boolean> {
  const setup: PresenceRunOptions = { seed, members, topology: redis, bug: plant, times: DEFAULT_TIMES, slackMs: slack }
  write(`3 instances, ${members} members in 10 rooms, Redis: ${redis}, seed ${seed}`)
  if (plant !== undefined) write(`planted: ${PRESENCE_BUGS[plant].effect}`)
  if (silent > 0) {
    const { longestMs, boundMs, violations } = await runSilentClients(silent, setup)
    write(`${silent} clients cut silently, gone after at most ${longestMs} ms (required: ${boundMs} ms), ${violations.length} violations`)
    return reportViolations(violations, plant)
  }
  if (reconnects > 0) {
    const { returned, gone, violations } = await runReconnects(reconnects, setup)
    write(`${returned} reconnects as the same member, ${gone} members reported as gone, ${violations.length} violations`)
    return reportViolations(violations, plant)
  }
  const results = await runRounds(rounds, setup, (result) => write(lineOf(result)))
  const sum = (of: (result: RoundResult) => number): number => results.reduce((total, result) => total + of(result), 0)
  const violations = results.flatMap((result) => result.violations)
  const longest = (changed: boolean): number =>
    Math.max(0, ...results.filter(({ plan }) => (plan.redis !== undefined) === changed).map(({ longestMs }) => longestMs))
  write(
    `${results.length} rounds: ${sum(({ plan }) => plan.killed.length)} instances killed, ${sum(({ dead }) => dead)} members dead with them, ` +
      `${sum(({ returned }) => returned)} reconnects as the same member; gone after at most ${longest(false)} ms, ` +
      `${longest(true)} ms in rounds with a change of Redis; ${violations.length} violations`,
  )
  return reportViolations(violations, plant)
}

function lineOf({ plan, dead, returned, gone, longestMs, violations }: RoundResult): string {
  const { killed, stalls, redis } = plan
  const faults = [
    `${killed.length} killed`,
    ...(stalls.length > 0 ? [`${stalls.length} stalled`] : []),
    ...(redis === undefined ? [] : ['Redis changed']),
  ].join(', ')
  return `${faults}: ${dead} dead, ${returned} returned, ${gone} gone after at most ${longestMs} ms, ${violations.length} violations`
}
