import { spawnInstance, type Instance } from '@tutti/test-kit'
import { LOAD_FIGURES, type LoadPhase, type LoadPlan } from './load-plan.ts'
import { numbersOf } from './numbers-of.ts'

/** The two things that are measured. */
export const SIDES = ['tutti', 'control'] as const

/** One of the two. */
export type SideName = (typeof SIDES)[number]

const SCRIPTS: Record<SideName, URL> = {
  tutti: new URL('tutti/tutti-instance.ts', import.meta.url),
  control: new URL('control/relay-instance.ts', import.meta.url),
}

/** What a phase gave. Counts of writes; CPU in milliseconds (user and system) for each 1,000 of them. */
export interface Figures {
  sent: number
  acked: number
  delivered: number
  doubled: number
  ackedPerSecond: number
  /** From the write on one instance to its update on the other, milliseconds. */
  p50Ms: number
  p99Ms: number
  /** Both instances together. */
  serverCpuMs: number
  redisCpuMs: number
  loadCpuMs: number
}

/** Two instances on one Redis, with their clients. */
export interface Side {
  readonly name: SideName
  measure(phase: LoadPhase): Promise<Figures>
  stop(): Promise<void>
}

/** What a side is made of. */
export interface SideOptions {
  redisUrl: string
  /** CPU that Redis has used so far, milliseconds. */
  redisCpuMs: () => Promise<number>
  plan: LoadPlan
  /** Folder for CPU profiles of the instances. */
  profileFolder?: string | undefined
}

/** Starts the processes of a side and connects its clients. */
export async function startSide(name: SideName, { redisUrl, redisCpuMs, plan, profileFolder }: SideOptions): Promise<Side> {
  const profiling = profileFolder === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileFolder}` }
  const spawnServer = (): Promise<Instance> => spawnInstance(SCRIPTS[name], { env: { REDIS_URL: redisUrl, ...profiling } })
  const [instances, load] = await Promise.all([
    Promise.all([spawnServer(), spawnServer()]),
    spawnInstance(new URL('load-instance.ts', import.meta.url)),
  ])
  await load.call(
    'connect',
    name,
    instances.map(({ ready }) => ready['url']),
    plan,
  )

  const serverCpuMs = async (): Promise<number> => {
    const used = await Promise.all(instances.map(async (instance) => numbersOf(['user', 'system'], await instance.call('cpu'))))
    return used.reduce((sum, { user, system }) => sum + (user + system) / 1000, 0)
  }
  const run = (phase: LoadPhase): Promise<unknown> =>
    load.call('run', phase).catch((error: unknown) => {
      throw new Error(`${name}: ${String(error)}`, { cause: error })
    })
  return {
    name,
    measure: async (phase) => {
      const [serverBefore, redisBefore] = [await serverCpuMs(), await redisCpuMs()]
      const { sent, acked, delivered, doubled, elapsedMs, cpuMs, p50Ms, p99Ms } = numbersOf(LOAD_FIGURES, await run(phase))
      const [serverUsed, redisUsed] = [(await serverCpuMs()) - serverBefore, (await redisCpuMs()) - redisBefore]
      const per1000 = (ms: number): number => (ms * 1000) / acked
      return {
        ...{ sent, acked, delivered, doubled, p50Ms, p99Ms },
        ackedPerSecond: (acked * 1000) / elapsedMs,
        serverCpuMs: per1000(serverUsed),
        redisCpuMs: per1000(redisUsed),
        loadCpuMs: per1000(cpuMs),
      }
    },
    stop: async () => {
      await load.call('close')
      await load.stop()
      await Promise.all(instances.map((instance) => instance.stop()))
    },
  }
}
