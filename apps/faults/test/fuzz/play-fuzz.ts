import { createRealtimeClient, type RealtimeClient, type StateHandle } from '@tutti/client'
import {
  checkCounters,
  checkHistory,
  seededRandom,
  type Content,
  type Json,
  type Observation,
  type Operation,
  type SeededRandom,
  type Violation,
} from '@tutti/test-kit'
import { vi } from 'vitest'
import { recordingTransport, type Recorder } from '../../src/recording-transport.ts'
import { startFuzzedCluster, type FuzzedCluster } from './fuzzed-cluster.ts'

const KEYS = ['counter', 'guarded', 'value', 'doc']
const CLIENTS = 3
const MAX_ROUNDS = 1_000
/** Versions are derived from the time. */
const START = new Date('2026-01-01')

/** The result of one schedule. */
export interface FuzzResult {
  readonly acknowledged: number
  readonly operations: readonly Operation[]
  readonly observations: readonly Observation[]
  readonly violations: readonly (Violation | { rule: 'settles'; key: string; message: string })[]
}

interface Actor {
  readonly name: string
  readonly client: RealtimeClient
  readonly recorder: Recorder
  readonly handles: Map<string, StateHandle<unknown>>
  readonly network: { up: boolean; notify(): void }
}

/** Plays the schedule of a seed: real clients, real servers, and no spontaneous events. Needs fake timers. */
export async function playFuzz(seed: number, steps = 90): Promise<FuzzResult> {
  vi.setSystemTime(START)
  const random = seededRandom(seed)
  const cluster = startFuzzedCluster(2)
  const observations: Observation[] = []
  const calls: Operation[] = []
  const open = new Set<string>()
  let tick = 0
  const now = (): number => ++tick
  for (const { store } of cluster.instances) {
    store.fate = () => {
      const chance = random.below(100)
      if (chance < 6) return 'lost'
      return chance < 12 ? 'refused' : 'done'
    }
  }

  const observe = (name: string, handle: StateHandle<unknown>): void => {
    const { version, value, pending } = handle.current
    if (version !== undefined)
      observations.push({ client: name, key: handle.key, atMs: now(), version, content: pending ? undefined : contentOf(value) })
  }

  const actors = Array.from({ length: CLIENTS }, (_, n): Actor => {
    const name = `c${n}`
    const recorder = recordingTransport(
      name,
      cluster.instances.map(({ transport }) => transport),
      n,
      now,
    )
    const listeners = new Set<() => void>()
    const network = { up: true, notify: () => listeners.forEach((listener) => listener()) }
    const client = createRealtimeClient({
      transport: recorder.transport,
      random: random.next,
      network: {
        online: () => network.up,
        onChange: (listener) => {
          listeners.add(listener)
          return () => void listeners.delete(listener)
        },
      },
    })
    const handles = new Map(KEYS.map((key) => [key, client.state<unknown>(key)]))
    for (const handle of handles.values()) handle.subscribe(() => observe(name, handle))
    return { name, client, recorder, handles, network }
  })

  const call = (actor: Actor): void => {
    const key = random.pick(KEYS)
    const handle = actor.handles.get(key)
    if (handle === undefined) return
    const id = `${actor.name}/call ${calls.length + open.size} of ${key}`
    const { promise, counts } = change(actor, handle, random, id)
    const startMs = now()
    open.add(id)
    const settle = (outcome: Operation['outcome']): void => {
      open.delete(id)
      if (counts !== undefined) calls.push({ id, client: actor.name, key, effect: counts, startMs, endMs: now(), outcome })
    }
    promise.then(
      () => settle({ kind: 'done', version: 0 }),
      (error: unknown) => settle({ kind: 'refused', code: error instanceof Error && 'code' in error ? String(error.code) : String(error) }),
    )
  }

  for (let step = 0; step < steps; step += 1) {
    act(random, cluster, random.pick(actors), call)
    await settled()
  }

  const rests = await comeToRest(cluster, actors)
  for (const { name, handles } of actors) for (const handle of handles.values()) observe(name, handle)
  const entries = await cluster.state.read(KEYS)
  const final = entries.map(({ key, version, ...rest }) => ({
    key,
    version,
    content: 'value' in rest ? { value: rest.value } : ({ absent: true } as const),
  }))
  const operations = actors.flatMap(({ recorder }) => recorder.operations)
  const stuck = [...open]
  for (const { client } of actors) await client.close()
  await cluster.close()
  await settled()
  vi.clearAllTimers()
  return {
    acknowledged: operations.filter(({ outcome }) => outcome.kind === 'done').length,
    operations,
    observations,
    violations: [
      ...(rests ? [] : [{ rule: 'settles' as const, key: '', message: 'Messages never end.' }]),
      ...stuck.map((message) => ({ rule: 'settles' as const, key: '', message })),
      ...cluster.errors.map((error) => ({ rule: 'settles' as const, key: '', message: `The server says: ${String(error)}` })),
      ...checkHistory({ operations, observations, final }),
      ...checkCounters(calls, final).map((violation) => ({ ...violation, message: `By the promises: ${violation.message}` })),
    ],
  }
}

/** One change of one client, as its application requests it. `counts`: the amount added to a sum. */
function change(
  { name, client }: Actor,
  handle: StateHandle<unknown>,
  random: SeededRandom,
  tag: string,
): { promise: Promise<void>; counts?: Operation['effect'] } {
  switch (handle.key) {
    case 'counter': {
      const by = 1 + random.below(9)
      return { promise: handle.increment(by), counts: { op: 'increment', by } }
    }
    case 'guarded':
      // A function that reads and adds: only the condition of its write prevents lost updates.
      return {
        promise: handle.update((value) => (typeof value === 'number' ? value : 0) + 1),
        counts: { op: 'increment', by: 1 },
      }
    case 'doc':
      return { promise: handle.patch({ [name]: random.below(6) === 0 ? null : { at: tag } }) }
    default: {
      const kind = random.below(8)
      if (kind === 0) return { promise: handle.remove() }
      if (kind > 3) return { promise: handle.set(tag) }
      const other = client.state<unknown>(handle.key, kind === 1 ? { onlyIfUnchanged: true } : { strategy: 'debounced', debounceMs: 50 })
      const promise = other.set(tag)
      other.dispose()
      return { promise }
    }
  }
}

/** One step: a client makes a change, a message arrives, or a fault occurs. */
function act(random: SeededRandom, cluster: FuzzedCluster, actor: Actor, call: (actor: Actor) => void): void {
  const { store } = random.pick(cluster.instances)
  const link = cluster.links.length === 0 ? undefined : random.pick(cluster.links.slice(-2 * CLIENTS))
  const chance = random.below(100)
  if (chance < 28) call(actor)
  else if (chance < 48) repeat(random, () => link?.deliverUp())
  else if (chance < 64) repeat(random, () => link?.deliverDown())
  else if (chance < 76) repeat(random, () => store.answer(random.below(Math.max(1, store.answerCount))))
  else if (chance < 86) repeat(random, () => store.announce())
  else if (chance < 89) link?.cut()
  else if (chance < 91) link?.noticed()
  else if (chance < 93) store.loseChanges()
  else if (chance < 95) store.reportGap()
  else if (chance < 96) {
    actor.network.up = !actor.network.up
    actor.network.notify()
  } else if (chance < 97) {
    if (cluster.bus.isUp) cluster.bus.interrupt()
    else cluster.bus.restore()
  } else vi.advanceTimersByTime(random.below(2_000))
}

const repeat = (random: SeededRandom, run: () => void): void => {
  for (let count = random.below(4); count >= 0; count -= 1) run()
}

/** Ends all faults and delivers messages until nothing remains; false if that never happens. */
async function comeToRest(cluster: FuzzedCluster, actors: readonly Actor[]): Promise<boolean> {
  cluster.bus.restore()
  for (const { store } of cluster.instances) store.fate = () => 'done'
  for (const { network } of actors) {
    network.up = true
    network.notify()
  }
  for (const link of cluster.links) link.noticed()
  let quiet = 0
  for (let round = 0; round < MAX_ROUNDS && quiet < 8; round += 1) {
    for (const { store } of cluster.instances) store.reportGap()
    const moved = deliverAll(cluster)
    await settled()
    if (moved) quiet = 0
    else {
      quiet += 1
      vi.advanceTimersByTime(1_000)
      await settled()
    }
  }
  return quiet === 8
}

function deliverAll({ links, instances }: FuzzedCluster): boolean {
  let moved = false
  for (const link of links) {
    for (let count = link.upCount; count > 0; count -= 1, moved = true) link.deliverUp()
    for (let count = link.downCount; count > 0; count -= 1, moved = true) link.deliverDown()
  }
  for (const { store } of instances) {
    for (; store.answerCount > 0; moved = true) store.answer(0)
    for (; store.changeCount > 0; moved = true) store.announce()
  }
  return moved
}

/** Lets promises settle. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const contentOf = (value: unknown): Content => (value === undefined ? { absent: true } : { value: value as Json })
