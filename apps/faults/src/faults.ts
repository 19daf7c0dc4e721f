import { setTimeout as wait } from 'node:timers/promises'
import { faultsHelp, parseOptions, type FaultsOptions } from './parse-options.ts'
import { startLoad } from './load.ts'
import { STATE_BUGS } from './planted-bug.ts'
import { runSchedule, type ScheduleResult } from './run-schedule.ts'

const write = (text: string): void => void process.stdout.write(text)
const SHOWN = 12
/** Handles of the process's own input and output. */
const STANDARD_STREAMS = new Set(['PipeWrap', 'TTYWrap', 'FSReqCallback', 'FSReqPromise'])

const options = parseOptions(process.argv.slice(2))
if (options === undefined) write(`pnpm run faults [options]\n${faultsHelp}`)
else await end((await run(options)) ? 0 : 1)

/**
 * Exits with the code, or with 1 if the run has left a socket, a server or a process open: a handle that never closes would
 * otherwise keep the process alive, or spinning in its clean-up, after the last line.
 */
async function end(code: number): Promise<void> {
  // The handles of processes that have just ended close at the end of this turn of the event loop.
  await wait(0)
  const left = process.getActiveResourcesInfo().filter((name) => !STANDARD_STREAMS.has(name))
  if (left.length > 0) write(`left open at the end: ${left.join(', ')}\n`)
  // The output may be a pipe, whose last lines `exit` would cut off.
  await new Promise((resolve) => void process.stdout.write('', resolve))
  process.exit(left.length > 0 ? 1 : code)
}

/**
 * Runs the schedules one after another. Returns whether the result is as expected: no violation, or, with a planted bug, a
 * violation.
 */
async function run({ schedules, seed, seconds, redis, plant }: FaultsOptions): Promise<boolean> {
  write(`${schedules} schedules of ${seconds} s, seeds ${seed} to ${seed + schedules - 1}: 3 instances, 12 clients, Redis: ${redis}\n`)
  if (plant !== undefined) write(`planted: ${STATE_BUGS[plant].effect}\n`)
  const load = await startLoad(2, plant)
  const failed: number[] = []
  let [acknowledged, violations] = [0, 0]
  for (let next = seed; next < seed + schedules; next += 1) {
    const result = await runSchedule(load, next, seconds, { topology: redis, bug: plant })
    acknowledged += result.acknowledged
    violations += result.violations.length
    if (result.violations.length > 0) failed.push(next)
    write(report(result))
    if (plant !== undefined && violations > 0) break
  }
  await load.end()
  write(`${acknowledged.toLocaleString('en-US')} acknowledged mutations, ${violations} violations\n`)
  const flags = `${redis === 'standalone' ? '' : ` --redis ${redis}`}${plant === undefined ? '' : ` --plant ${plant}`}`
  for (const bad of failed) write(`replay: pnpm run faults --schedules 1 --seed ${bad} --seconds ${seconds}${flags}\n`)
  return plant === undefined ? violations === 0 : violations > 0
}

function report({ seed, faults, reconfigurations, acknowledged, refused, unknown, convergedMs, violations }: ScheduleResult): string {
  const converged = convergedMs < 0 ? 'not in sync' : `in sync after ${convergedMs} ms`
  const moved = reconfigurations === 0 ? '' : `${reconfigurations} reconfigured, `
  const head = `seed ${seed}: ${acknowledged} acknowledged, ${refused} refused, ${unknown} unknown, ${converged}, ${moved}${violations.length} violations\n`
  if (violations.length === 0) return head
  const plan = faults.map(({ name, atMs, forMs, place, link, only }) => {
    const where = `instance ${place}, ${link}${only === undefined ? '' : ` connection ${only}`}`
    return `  at ${atMs} ms: ${name} (${where}, ${forMs} ms)\n`
  })
  const shown = violations.slice(0, SHOWN).map(({ rule, key, message }) => `  [${rule}] ${key}: ${message}\n`)
  const more = violations.length > SHOWN ? [`  and ${violations.length - SHOWN} more\n`] : []
  return [head, ...plan, ...shown, ...more].join('')
}
