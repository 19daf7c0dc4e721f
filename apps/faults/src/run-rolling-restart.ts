import { setTimeout as wait } from 'node:timers/promises'
import { createRealtimeClient, socketTransport, type RealtimeClient, type StateHandle, type Transport } from '@tutti/client'
import { eventually } from '@tutti/test-kit'
import { startCluster } from './cluster.ts'

const PLACES = 3
/** The key that all clients observe, and the interval of its changes. */
const BEAT = 'beat'
const BEAT_MS = 100
/** Interval at which each client changes its own key. */
const OWN_MS = 1_000

/** The result of a rolling restart. */
export interface RollingRestartResult {
  /** Changes that were acknowledged, of all keys. */
  readonly acknowledged: number
  /** Keys whose value is not the sum of the acknowledged changes. */
  readonly wrong: readonly string[]
  /** Changes whose promise failed. */
  readonly failed: number
  /** The longest time in which a client received no change of the continuously changing key, milliseconds. */
  readonly longestGapMs: number
  /** The longest time that a change waited for its reply, milliseconds. */
  readonly longestWriteMs: number
}

/** Restarts three instances, one after another, `betweenMs` apart, under clients that read and write all the time (C5). */
export async function runRollingRestart(clients: number, betweenMs = 2_000): Promise<RollingRestartResult> {
  const cluster = await startCluster(PLACES)
  const urls = cluster.places.map(({ front }) => `http://127.0.0.1:${front.port}`)
  const opened = Array.from({ length: clients }, (_, n) => openClient(urls, n))
  const sums = new Map<string, number>()
  let [acknowledged, failed, longestGapMs, longestWriteMs] = [0, 0, 0, 0]
  let running = true

  const add = async (handle: StateHandle<number>): Promise<void> => {
    const start = performance.now()
    try {
      await handle.increment(1)
      acknowledged += 1
      sums.set(handle.key, (sums.get(handle.key) ?? 0) + 1)
    } catch {
      failed += 1
    }
    longestWriteMs = Math.max(longestWriteMs, performance.now() - start)
  }
  const keepAdding = async (handle: StateHandle<number>, everyMs: number, delayMs: number): Promise<void> => {
    await wait(delayMs)
    for (; running; await wait(everyMs)) await add(handle)
  }

  try {
    const beats = opened.map((client) => client.state<number>(BEAT, { default: 0 }))
    const own = opened.map((client, n) => client.state<number>(`own:${n}`, { default: 0 }))
    await eventually(() => {
      if ([...beats, ...own].some(({ current }) => current.loading)) throw new Error('Some client does not get its entries.')
    })
    for (const beat of beats) {
      let [version, seenAt] = [beat.current.version, performance.now()]
      beat.subscribe(() => {
        const { current } = beat
        if (!running || current.version === version) return
        const now = performance.now()
        longestGapMs = Math.max(longestGapMs, now - seenAt)
        version = current.version
        seenAt = now
      })
    }
    const work = own.map((handle, n) => keepAdding(handle, OWN_MS, (OWN_MS * n) / clients))
    // From several clients, so that changes continue while one changes its instance.
    for (const [n, beat] of beats.slice(0, 6).entries()) work.push(keepAdding(beat, 3 * BEAT_MS, n * BEAT_MS))
    await wait(betweenMs)
    for (const place of cluster.places) {
      const code = await place.instance?.stop()
      if (code !== 0) throw new Error(`An instance ended with ${String(code)}.`)
      await place.start()
      await wait(betweenMs)
    }
    running = false
    await Promise.all(work)
    const keys = [BEAT, ...own.map(({ key }) => key)]
    const entries = (await cluster.places[0]?.instance?.call('read', keys)) as { key: string; value?: number }[]
    const wrong = entries
      .filter(({ key, value }) => (value ?? 0) !== (sums.get(key) ?? 0))
      .map(({ key, value }) => `${key}: ${String(value)} instead of ${String(sums.get(key))}`)
    return { acknowledged, wrong, failed, longestGapMs: Math.round(longestGapMs), longestWriteMs: Math.round(longestWriteMs) }
  } finally {
    running = false
    await Promise.all(opened.map((client) => client.close()))
    await cluster.close()
  }
}

/** A client that tries the next url each time, like a list of servers or a load balancer. */
function openClient(urls: readonly string[], first: number): RealtimeClient {
  let next = first
  const transport: Transport = (handshake, listener) => {
    const url = urls[next % urls.length]
    next += 1
    return socketTransport({ url })(handshake, listener)
  }
  return createRealtimeClient({ transport })
}
