import { startRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import type { LoadPhase, LoadPlan } from './load-plan.ts'
import { SIDES, startSide, type Figures, type Side, type SideName } from './side.ts'

/** The two ways to write: at a rate that both sides keep with ease, and as fast as writes are acknowledged. */
export type PhaseName = 'paced' | 'full'

/** What is measured. */
export interface BenchPlan extends LoadPlan {
  rounds: number
  warmUp: LoadPhase
  phases: Record<PhaseName, LoadPhase>
  /** Folder for CPU profiles of Tutti's instances. */
  profileFolder?: string | undefined
}

/** What both sides showed in one round. */
export type Round = Record<PhaseName, Record<SideName, Figures>>

/** Runs all rounds, both sides in each, the one that begins alternating. `onRound` hears how far it is. */
export async function runBench(plan: BenchPlan, onRound: (done: number) => void = () => {}): Promise<Round[]> {
  const redis = await startRedis()
  const admin = new Redis(redis.url)
  const sides: Side[] = []
  try {
    const redisCpuMs = async (): Promise<number> => {
      const info = await admin.info('cpu')
      const seconds = [...info.matchAll(/^used_cpu_(?:user|sys):([\d.]+)/gm)].map(([, number]) => Number(number))
      return seconds.reduce((sum, part) => sum + part * 1000, 0)
    }
    for (const name of SIDES) {
      const profileFolder = name === 'tutti' ? plan.profileFolder : undefined
      sides.push(await startSide(name, { redisUrl: redis.url, redisCpuMs, plan, profileFolder }))
    }
    for (const side of sides) await side.measure(plan.warmUp)

    const rounds: Round[] = []
    while (rounds.length < plan.rounds) {
      const order = rounds.length % 2 === 0 ? sides : sides.toReversed()
      const measured = { paced: await measureAll(order, plan.phases.paced), full: await measureAll(order, plan.phases.full) }
      onRound(rounds.push(measured))
    }
    return rounds
  } finally {
    await Promise.all(sides.map((side) => side.stop()))
    admin.disconnect()
    await redis.stop()
  }
}

async function measureAll(sides: readonly Side[], phase: LoadPhase): Promise<Record<SideName, Figures>> {
  const measured = new Map<SideName, Figures>()
  for (const side of sides) measured.set(side.name, await side.measure(phase))
  const of = (name: SideName): Figures => {
    const figures = measured.get(name)
    if (figures === undefined) throw new Error(`The side ${name} was not measured.`)
    return figures
  }
  return { tutti: of('tutti'), control: of('control') }
}
