import { setTimeout as wait } from 'node:timers/promises'
import { createRealtimeClient, socketTransport, type RealtimeClient } from '@tutti/client'
import { lock, type AcquireOptions, type Lock } from '@tutti/client/lock'
import { RealtimeError } from '@tutti/protocol'
import { seededRandom } from '@tutti/test-kit'
import type { LockHistory } from './lock-history.ts'
import { createLockRecorder } from './lock-recorder.ts'

/** Behaviour of one client. */
export interface LockClientPlan {
  name: string
  seed: number
  keys: string[]
  urls: string[]
  /** Index of the first url to try. */
  first: number
  /** Multiplies all times: less than 1 where leases are shorter than by default. */
  scale: number
}

/** A client that acquires locks, writes with them and releases them, in a loop. */
export interface LockClient {
  readonly client: RealtimeClient
  /** The index of the url that it is connected to. */
  readonly place: number | undefined
  work(): void
  /** Ends the loop. Settles when it has ended; some clients keep their lock. */
  rest(): Promise<void>
  /** It never connects again; its open connection stays until it is lost. */
  stopReconnecting(): void
  /** The grants that the client knows. */
  bindings(): { client: string; key: string; token: number }[]
  takeHistory(): LockHistory
  close(): Promise<void>
}

/** L3: the default time of a lock after a disconnect. */
const TTL_MS = 10_000

/** Errors of requests while an instance or Redis is away. */
const EXPECTED = new Set(['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'CLOSED', 'RATE_LIMITED'])
const codeOf = (error: unknown): string => (error instanceof RealtimeError ? error.code : String(error))

/** Opens a client. */
export function openLockClient({ name, seed, keys, urls, first, scale }: LockClientPlan): LockClient {
  const random = seededRandom(seed)
  const transports = urls.map((url) => socketTransport({ url }))
  const recorder = createLockRecorder(name, transports, first)
  const client = createRealtimeClient({ transport: recorder.transport, random: () => random.next() * scale, onError: () => {} })
  const handles = new Map(keys.map((key) => [key, lock(client, key, { info: name, ttlMs: Math.ceil(TTL_MS * scale) })]))
  let isWorking = false
  let loop = Promise.resolve()
  let count = 0

  const pause = (upToMs: number): Promise<void> => wait(random.next() * upToMs * scale)
  const refused = (error: unknown, ...expected: string[]): void => {
    const code = codeOf(error)
    if (!EXPECTED.has(code) && !expected.includes(code)) recorder.unexpected(`${code}, ${String(error)}`)
  }
  /** A third does not wait, a third has a time limit, a third is aborted too. */
  const acquire = async (own: Lock<unknown>): Promise<boolean> => {
    const kind = random.below(3)
    const waitMs = Math.ceil(1 + random.next() * 2_500 * scale)
    const aborter = new AbortController()
    const options: AcquireOptions = kind === 0 ? {} : { waitMs, ...(kind === 2 && { signal: aborter.signal }) }
    const timer = setTimeout(() => aborter.abort(), random.next() * waitMs)
    try {
      return await own.acquire(options)
    } catch (error) {
      refused(error)
      await pause(200)
      return false
    } finally {
      clearTimeout(timer)
    }
  }
  const write = async (key: string, binding: Pick<Lock<unknown>, 'binding'>): Promise<void> => {
    try {
      const handle = client.state(key, { lock: binding })
      await handle.set({ client: name, count: (count += 1) }).finally(() => handle.dispose())
    } catch (error) {
      refused(error, 'LOCK_LOST')
    }
  }
  const useLock = async (key: string, own: Lock<unknown>): Promise<void> => {
    const { binding } = own
    for (let writes = random.below(3); writes > 0; writes -= 1) await write(key, own)
    // One of four is long enough for a fault.
    await pause(random.below(4) === 0 ? 3_000 : 150)
    if (random.below(2) === 0) await write(key, own)
    if (!isWorking && random.below(2) === 0) return
    await own.release().catch(refused)
    if (random.below(3) > 0) return
    // The write of a client that does not know the end of its lock.
    await pause(200)
    await write(key, { binding })
  }
  const run = async (): Promise<void> => {
    while (isWorking) {
      const [key, own] = random.pick([...handles])
      if (await acquire(own)) await useLock(key, own)
      await pause(60)
    }
  }

  return {
    client,
    get place() {
      return recorder.place
    },
    work: () => {
      isWorking = true
      loop = Promise.all([...handles.values()].map((own) => own.release().catch(refused))).then(run)
    },
    rest: () => {
      isWorking = false
      return loop
    },
    stopReconnecting: recorder.stopReconnecting,
    bindings: () => [...handles.values()].flatMap(({ binding }) => (binding === undefined ? [] : [{ ...binding, client: name }])),
    takeHistory: recorder.takeHistory,
    close: () => {
      isWorking = false
      return client.close()
    },
  }
}
