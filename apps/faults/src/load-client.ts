import { setTimeout as wait } from 'node:timers/promises'
import { createRealtimeClient, socketTransport } from '@tutti/client'
import { eventually, seededRandom, type Content, type Json, type Observation, type Operation } from '@tutti/test-kit'
import type { ClientHistory } from './client-history.ts'
import { recordingTransport } from './recording-transport.ts'
import { createWorkload, type Call } from './workload.ts'

/** Between two changes of a worker. Shorter ones keep both cores of a machine busy with changes alone, and detect nothing more. */
const LONGEST_PAUSE_MS = 20

/** Behaviour of one client. */
export interface LoadClientPlan {
  name: string
  seed: number
  urls: string[]
  /** Index of the first url to try. */
  first: number
  /** Number of concurrent changes. */
  workers: number
}

/** One client that changes shared keys and records its history. */
export interface LoadClient {
  start(): void
  /** Stops making changes, and waits at most this long until all are settled; returns the unsettled ones. */
  settle(withinMs: number): Promise<string[]>
  /** Whether it is connected to an instance that reports degraded. */
  degraded(): boolean
  /** The version shown of each key. */
  shown(): Record<string, number | undefined>
  history(): ClientHistory
  close(): Promise<void>
}

/** Connects a client; settles when it shows every key. */
export async function openLoadClient({ name, seed, urls, first, workers }: LoadClientPlan): Promise<LoadClient> {
  const random = seededRandom(seed)
  const transports = urls.map((url) => socketTransport({ url }))
  const recorder = recordingTransport(name, transports, first)
  const client = createRealtimeClient({ transport: recorder.transport, requestTimeoutMs: 3_000 })
  const workload = createWorkload(client, name, random)
  const observations: Observation[] = []
  const calls: Operation[] = []
  const open = new Map<Call, string>()
  let running = true

  for (const handle of workload.handles) {
    handle.subscribe(() => {
      const { version, value, pending } = handle.current
      if (version === undefined) return
      const content = pending ? undefined : contentOf(value)
      observations.push({ client: name, key: handle.key, atMs: Date.now(), version, content })
    })
  }
  await eventually(() => {
    if (workload.handles.some(({ current }) => current.loading)) throw new Error(`${name} does not get its entries.`)
  })

  const call = async (): Promise<void> => {
    const made = workload.next()
    const { key, promise, counts } = made
    const startMs = Date.now()
    const id = `${name}/call ${calls.length} of ${key}`
    open.set(made, id)
    let outcome: Operation['outcome'] = { kind: 'unknown' }
    try {
      await promise
      outcome = { kind: 'done', version: 0 }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
      if (code !== 'OUTCOME_UNKNOWN' && code !== 'CLOSED') outcome = { kind: 'refused', code }
    } finally {
      open.delete(made)
      if (counts !== undefined) calls.push({ id, client: name, key, effect: counts, startMs, endMs: Date.now(), outcome })
    }
  }

  const work = async (): Promise<void> => {
    while (running) {
      // Does not always wait for the reply, so that changes of one key overlap.
      await Promise.race([call(), wait(30 + random.below(60))])
      await wait(random.below(LONGEST_PAUSE_MS))
    }
  }

  return {
    start: () => {
      for (let worker = 0; worker < workers; worker += 1) void work()
    },
    settle: async (withinMs) => {
      running = false
      const end = performance.now() + withinMs
      while (open.size > 0 && performance.now() < end) await wait(20)
      if (open.size === 0) return []
      const { status, instance, attempt } = client.connection.current
      const standing = `${name} is ${status} (instance ${instance}, attempt ${attempt}) at ${Date.now()}`
      return [`${standing}; unsettled: ${[...new Set(open.values())].join(', ')}`, ...recorder.unanswered()]
    },
    degraded: () => client.connection.current.status === 'connected' && client.connection.current.degraded,
    shown: () => Object.fromEntries(workload.handles.map(({ key, current }) => [key, current.version])),
    history: () => ({ operations: recorder.operations, observations, calls }),
    close: () => client.close(),
  }
}

const contentOf = (value: unknown): Content => (value === undefined ? { absent: true } : { value: value as Json })
