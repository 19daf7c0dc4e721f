import { setTimeout as wait } from 'node:timers/promises'
import { DURABLE_BUGS } from '../planted-bug.ts'
import { writeViolations } from '../report-violations.ts'
import { durableHelp, parseDurableOptions } from './parse-durable-options.ts'
import { runDurable } from './run-durable.ts'

const write = (text: string): void => void process.stdout.write(`${text}\n`)

const options = parseDurableOptions(process.argv.slice(2))
if (options === undefined) write(`pnpm run faults:durable [options]\n${durableHelp}`)
else {
  const { schedules, seed: first, events, subscribers, seconds, redis, plant } = options
  write(`${schedules} schedules of ${seconds} s, 3 instances, ${events} events, ${subscribers} subscribers, Redis: ${redis}`)
  if (plant !== undefined) write(`planted: ${DURABLE_BUGS[plant].effect}`)
  let [acknowledged, violations] = [0, 0]
  for (let seed = first; seed < first + schedules; seed += 1) {
    const result = await runDurable({
      ...{ seed, events, subscribers, publishers: 20, seconds, topology: redis, bug: plant, settleMs: 300_000 },
      // The comparison with the logs would repair what the bug leaves out.
      reconcileIntervalMs: plant === undefined ? 30_000 : 0,
    })
    acknowledged += result.acknowledged
    violations += result.violations.length
    const settled = result.settledMs < 0 ? 'not all received' : `all received after ${result.settledMs} ms`
    write(
      `seed ${seed}: ${result.faults} faults, ${result.acknowledged} acknowledged, ${result.gaps} gaps, ${settled}, ${result.violations.length} violations`,
    )
    writeViolations(result.violations)
    if (plant !== undefined && violations > 0) break
  }
  write(`${acknowledged.toLocaleString('en-US')} acknowledged events, ${violations} violations`)
  await wait(0)
  process.exitCode = (plant === undefined) === (violations === 0) ? 0 : 1
}
