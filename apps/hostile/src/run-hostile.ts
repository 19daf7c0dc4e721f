import { spawnInstance, type Instance } from '@tutti/test-kit'
import type { AttackContext } from './attacker.ts'
import { ATTACKS, type AttackName } from './attacks/index.ts'
import { connectBystanders } from './bystanders.ts'
import type { Counts } from './tally.ts'
import { startTarget, type Target } from './target.ts'
import { tokenOf } from './tokens.ts'

const ATTACKER = new URL('./attacker-instance.ts', import.meta.url)

/** The extent of a run. */
export interface HostileOptions {
  readonly seed: number
  /** Messages of the attack with random messages. */
  readonly messages: number
  /** Duration of attacks without an own end, milliseconds. */
  readonly forMs: number
  /** Changes of legitimate clients that are timed during each attack, and the same number without one. */
  readonly samples: number
}

/** The result of one attack, and its effect on others. */
export interface AttackResult {
  readonly name: AttackName
  readonly counts: Counts
  /** Messages to the attacker that contained a secret. */
  readonly leaks: number
  /** Latencies of legitimate clients, milliseconds: directly before and during the attack. */
  readonly calm: readonly number[]
  readonly attacked: readonly number[]
}

/** The result of the run. */
export interface HostileResult {
  readonly attacks: readonly AttackResult[]
  /** The violations in words; empty if there were none. */
  readonly breaches: readonly string[]
  /** Heap in use of each instance before the attacks and some time after, bytes. */
  readonly heaps: readonly { before: number; after: number }[]
}

const changedKeys = (before: Record<string, string>, after: Record<string, string>): string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => before[key] !== after[key])

/** Runs every attack on two instances, and checks the results. `onAttack` is called after each attack. */
export async function runHostile(options: HostileOptions, onAttack: (result: AttackResult) => void = () => {}): Promise<HostileResult> {
  const target = await startTarget()
  const attacker = await spawnInstance(ATTACKER)
  const bystanders = await connectBystanders(target.urls, target.canary)
  try {
    const context = {
      ...{ urls: target.urls, canary: target.canary, token: await tokenOf('mallory') },
      ...{ seed: options.seed, forMs: options.forMs, messages: options.messages },
    }
    const untouchable = await target.untouchable()
    await bystanders.measure(200)
    const before = await heapsOf(target)
    const attacks: AttackResult[] = []
    for (const name of Object.keys(ATTACKS).filter((each): each is AttackName => each in ATTACKS)) {
      const calm = await bystanders.measure(options.samples)
      const attack = underAttack(attacker, name, context)
      const [{ counts, leaks }, attacked] = await Promise.all([attack.over, duringAttack(attack, bystanders.measure, options.samples)])
      const result = { name, counts, leaks, calm, attacked }
      attacks.push(result)
      onAttack(result)
    }
    const hers = await bystanders.writeAsAlice('shared:stolen')
    const after = await heapsOf(target)
    const breaches = [
      ...attacks.filter(({ leaks }) => leaks > 0).map(({ name, leaks }) => `${name}: the attacker was sent a secret ${leaks} times.`),
      ...changedKeys(untouchable, await target.untouchable()).map((key) => `${key}: no attacker may write it, and it has changed.`),
      ...(await bystanders.damage()),
      ...(hers === 'hers' ? [] : ["Another's clientId kept alice from writing."]),
      ...(await target.badScores()).map((text) => `No score, but stored as one: ${text.slice(0, 80)}`),
      ...(await damageOf(target)),
    ]
    return { attacks, breaches, heaps: before.map((heap, place) => ({ before: heap, after: after[place] ?? NaN })) }
  } finally {
    bystanders.close()
    await attacker.kill()
    await target.close()
  }
}

interface Running {
  readonly over: Promise<{ counts: Counts; leaks: number }>
  isOver: boolean
}

function underAttack(attacker: Instance, name: AttackName, context: Omit<AttackContext, 'receive'>): Running {
  const over = attacker.call('attack', name, context) as Running['over']
  const running: Running = { over, isOver: false }
  const end = (): void => void (running.isOver = true)
  over.then(end, end)
  return running
}

/** At most this number of latencies during the attack. */
async function duringAttack(attack: Running, measure: (samples: number) => Promise<number[]>, samples: number): Promise<number[]> {
  const latencies: number[] = []
  while (!attack.isOver && latencies.length < samples) latencies.push(...(await measure(10)))
  return latencies
}

const heapsOf = ({ instances }: Target): Promise<number[]> =>
  Promise.all(instances.map(async (instance) => Number(await instance.call('heap'))))

async function damageOf({ instances }: Target): Promise<string[]> {
  const damage = await Promise.all(
    instances.map(async (instance, place) => {
      const errors = (await instance.call('errors')) as string[]
      const isClean = await instance.call('isClean')
      return [
        ...errors.slice(0, 5).map((error) => `Instance ${place} met an error that it did not expect: ${error}`),
        ...(isClean === true ? [] : [`Instance ${place}: the prototype of every object was changed.`]),
      ]
    }),
  )
  return damage.flat()
}
