import { setTimeout as wait } from 'node:timers/promises'
import { writeViolations } from '../report-violations.ts'
import { durableHelp, parseDurableOptions } from './parse-durable-options.ts'
import { runWorkers } from './run-workers.ts'

const write = (text: string): void => void process.stdout.write(`${text}\n`)
const VISIBILITY_MS = 5_000

const options = parseDurableOptions(process.argv.slice(2))
if (options === undefined) write(`pnpm run faults:workers [options]\n${durableHelp}`)
else {
  const { seed, events: jobs, kills, redis: topology } = options
  write(`${jobs} jobs, 4 worker processes, ${kills} killed, visibilityMs ${VISIBILITY_MS}, Redis: ${topology}, seed ${seed}`)
  const result = await runWorkers({
    seed,
    jobs,
    processes: 4,
    kills,
    visibilityMs: VISIBILITY_MS,
    topology,
    slackMs: 0,
    timeoutMs: 600_000,
  })
  const { violations, redelivered, longestMs, letters, replayed } = result
  write(
    `${result.kills} killed, ${redelivered} jobs delivered again after at most ${longestMs} ms (required: ${VISIBILITY_MS + 1_000} ms), ` +
      `${letters} dead letters, ${replayed} of them processed after a replay, ${violations.length} violations`,
  )
  writeViolations(violations)
  await wait(0)
  process.exitCode = violations.length === 0 && letters === replayed ? 0 : 1
}
