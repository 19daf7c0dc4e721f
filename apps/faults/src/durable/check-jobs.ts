import type { DeadLetter } from '@tutti/coordination/logs'
import type { Death, Job, TraceEntry } from './job-trace.ts'

/** The rules of a run. */
export const JOB_RULES = {
  lost: 'a job has no effect',
  dead: 'a job is in the dead-letter log although it did not fail three times',
  poison: 'a job that fails is not in the dead-letter log after exactly three failures, with their errors',
  late: 'the job of a dead worker was not delivered again in time',
  twice: 'a job was delivered again although its worker lived',
} as const

/** A violation of a rule. */
export interface JobViolation {
  readonly rule: keyof typeof JOB_RULES
  readonly message: string
}

/** What a run left. */
export interface JobHistory {
  readonly jobs: readonly Job[]
  readonly trace: readonly TraceEntry[]
  readonly deaths: readonly Death[]
  readonly letters: readonly DeadLetter[]
}

/** The result of a check. */
export interface JobCheck {
  readonly violations: readonly JobViolation[]
  /** Deliveries after the death of a worker. */
  readonly redelivered: number
  /** The longest time from the death of a worker until its job was delivered again, milliseconds. */
  readonly longestMs: number
}

/** Checks a run in which every job was processed. `boundMs`: how long after a death its job may wait. */
export function checkJobs({ jobs, trace, deaths, letters }: JobHistory, boundMs: number): JobCheck {
  const violations: JobViolation[] = []
  const byJob = Map.groupBy(trace, ({ number }) => number)
  const deadAt = new Map(deaths.map(({ pid, atMs }) => [pid, atMs]))
  const errors = new Map(letters.map(({ json, errors: all }) => [numberOf(json), all]))
  let [redelivered, longestMs] = [0, 0]

  for (const { number, kind } of jobs) {
    const own = byJob.get(number) ?? []
    const letter = errors.get(number)
    if (kind === 'poison') {
      const failures = own.filter(({ event }) => event === 'failure').length
      const isExact = letter?.length === 3 && letter.every((error) => error === `poison ${number}`)
      // A worker that was killed between its note and the failure has failed once more for the trace than for the group.
      if (!isExact || failures < 3)
        violations.push({ rule: 'poison', message: `job ${number}: ${failures} failures, errors ${String(letter)}` })
    } else {
      if (!own.some(({ event }) => event === 'done')) violations.push({ rule: 'lost', message: `job ${number}` })
      if (letter !== undefined) violations.push({ rule: 'dead', message: `job ${number}: ${letter.join(', ')}` })
    }
    const starts = own.filter(({ event }) => event === 'start')
    for (const [index, start] of starts.entries()) {
      const next = starts[index + 1]
      if (next === undefined) break
      const hasEnded = own.some(({ pid, attempt, event }) => pid === start.pid && attempt === start.attempt && event !== 'start')
      const diedMs = deadAt.get(start.pid)
      if (diedMs === undefined) {
        if (!hasEnded || kind !== 'poison') violations.push({ rule: 'twice', message: `job ${number} (${kind}), attempt ${next.attempt}` })
        continue
      }
      if (hasEnded || diedMs < start.atMs) continue
      redelivered += 1
      longestMs = Math.max(longestMs, next.atMs - diedMs)
      if (next.atMs > diedMs + boundMs) violations.push({ rule: 'late', message: `job ${number} waited ${next.atMs - diedMs} ms` })
    }
  }
  return { violations, redelivered, longestMs }
}

function numberOf(json: string): number {
  const job: unknown = JSON.parse(json)
  return typeof job === 'object' && job !== null && 'number' in job ? Number(job.number) : -1
}
