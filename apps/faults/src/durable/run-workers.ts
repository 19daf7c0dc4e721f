import { setTimeout as wait } from 'node:timers/promises'
import { createRedisLogs, type DeadLetter } from '@tutti/coordination/logs'
import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, seededRandom, type Instance } from '@tutti/test-kit'
import { startTopology, type TopologyName } from '../redis-topology.ts'
import { startProcess } from '../start-process.ts'
import { checkJobs, type JobCheck } from './check-jobs.ts'
import type { Death, Job, TraceEntry } from './job-trace.ts'

const WORKER = new URL('./worker-instance.ts', import.meta.url)
const GROUP = 'workers'
const CHANNELS = 5
/** A job was delivered again at the latest so long after the claim of a dead worker ended. */
const REDELIVERY_MS = 1_000

/** How a run is made. */
export interface WorkerRunOptions {
  readonly seed: number
  readonly jobs: number
  readonly processes: number
  readonly kills: number
  readonly visibilityMs: number
  readonly topology?: TopologyName | undefined
  /** Added to the bound of a redelivery: for machines that are busy with other work. */
  readonly slackMs: number
  /** How long all jobs may take, milliseconds. */
  readonly timeoutMs: number
}

/** The result of a run. */
export interface WorkerResult extends JobCheck {
  readonly kills: number
  readonly letters: number
  /** Dead letters that were processed after they had been replayed. */
  readonly replayed: number
}

/** Appends jobs while worker processes are killed at random times, and checks what became of each. */
export async function runWorkers(options: WorkerRunOptions): Promise<WorkerResult> {
  const { seed, jobs: count, processes, kills, visibilityMs, topology = 'standalone', slackMs, timeoutMs } = options
  const random = seededRandom(seed)
  const redis = await startTopology(topology, 1)
  const pubsub = new RealtimePubSub({ ...redis.connection(0), onError: () => {} })
  const { link } = pubsub
  await link.ready
  const logs = createRedisLogs({ link, pattern: 'jobs:*', groups: [GROUP], maxRecords: count, onError: () => {} })
  const group = logs.group(GROUP)
  const env = { WORKER: JSON.stringify({ redis: redis.connection(0), group: GROUP, visibilityMs, concurrency: 10 }) }
  const start = (): Promise<Instance> => startProcess(WORKER, undefined, env)
  const workers = await Promise.all(Array.from({ length: processes }, start))
  const deaths: Death[] = []
  const channels = Array.from({ length: CHANNELS }, (_, number) => `jobs:${number}`)
  const jobs = Array.from({ length: count }, (_, number): Job => {
    const kind = number % 500 === 7 ? 'poison' : number % 1_000 === 11 ? 'long' : 'short'
    return { number, kind }
  })
  const kill = async (): Promise<void> => {
    const place = random.below(processes)
    const worker = workers[place]
    if (worker === undefined) return
    await worker.kill()
    deaths.push({ pid: worker.pid, atMs: Date.now() })
    workers[place] = await start()
  }
  const idle = (): Promise<void> =>
    eventually(
      async () => {
        for (const channel of channels) {
          const { waiting, pending } = await group.backlog(channel)
          if (waiting + pending > 0) throw new Error(`${channel}: ${waiting} waiting, ${pending} pending.`)
        }
      },
      { timeoutMs, everyMs: 100 },
    )
  const letters = async (): Promise<DeadLetter[]> => (await Promise.all(channels.map((channel) => group.deadLetters.list(channel)))).flat()
  const traceOf = async (): Promise<TraceEntry[]> => {
    const entries = await link.command('LRANGE', 'trace', 0, -1)
    return (Array.isArray(entries) ? entries : []).map((entry): TraceEntry => JSON.parse(String(entry)))
  }
  try {
    const appending = (async () => {
      for (const [index, job] of jobs.entries()) {
        await logs.append(`jobs:${index % CHANNELS}`, { json: JSON.stringify(job), id: `job-${index}` })
      }
    })()
    for (let number = 0; number < kills; number += 1) {
      await wait(random.below(visibilityMs))
      await kill()
    }
    await appending
    await idle()
    const dead = await letters()
    const check = checkJobs({ jobs, trace: await traceOf(), deaths, letters: dead }, visibilityMs + REDELIVERY_MS + slackMs)
    await link.command('SET', 'cured', '1')
    for (const { log, id } of dead) await group.deadLetters.replay(log, id)
    await idle()
    const done = new Set((await traceOf()).flatMap(({ number, event }) => (event === 'done' ? [number] : [])))
    const replayed = jobs.filter(({ number, kind }) => kind === 'poison' && done.has(number)).length
    return { ...check, kills: deaths.length, letters: dead.length, replayed }
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()))
    await logs.close()
    await pubsub.dispose()
    await redis.stop()
  }
}
