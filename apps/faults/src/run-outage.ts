import { setTimeout as wait } from 'node:timers/promises'
import type { FinalEntry } from '@tutti/test-kit'
import { startCluster } from './cluster.ts'
import { judgeRun, readFinal, type Judgement } from './judge-run.ts'
import type { Load } from './load.ts'

const CLIENTS = 12

/** The result of a period without Redis, or of the same period with it. */
export interface OutageResult extends Judgement {
  /** Heap and external memory of the instance at the end of that time, after garbage collection, bytes. */
  readonly usedBytes: number
  /** Clients that were connected and notified of the outage at the end of that period. */
  readonly notifiedClients: number
  /**
   * Time from Redis' return until no client reported degraded and all showed the values stored then, or newer ones,
   * milliseconds.
   */
  readonly inSyncMs: number
}

/** Loads one instance, stops its Redis after `beforeMs` for some seconds, or does not, and restarts it (F4). */
export async function runOutage(load: Load, seconds: number, isAway: boolean, beforeMs = 3_000): Promise<OutageResult> {
  const cluster = await startCluster(1)
  try {
    const { redis, places } = cluster
    const urls = places.map(({ front }) => `http://127.0.0.1:${front.port}`)
    await load.open(Array.from({ length: CLIENTS }, (_, n) => ({ name: `c${n}`, seed: n, urls, first: 0, workers: 3 })))
    await load.start()
    await wait(beforeMs)
    if (isAway) await Promise.all(redis.nodes.map((node) => node.kill()))
    await wait(seconds * 1_000)
    const usedBytes = Number(await places[0]?.instance?.call('memory'))
    const notifiedClients = (await load.degraded()).filter(Boolean).length
    if (isAway) await Promise.all(redis.nodes.map((node) => node.restart()))
    const returned = performance.now()
    await until(load, await readFinal(cluster))
    const inSyncMs = Math.round(performance.now() - returned)
    return { ...(await judgeRun(load, cluster)), usedBytes, notifiedClients, inSyncMs }
  } finally {
    await load.close()
    await cluster.close()
  }
}

async function until(load: Load, stored: readonly FinalEntry[]): Promise<void> {
  for (;;) {
    const [degraded, clients] = await Promise.all([load.degraded(), load.shown()])
    const isShown = clients.every((shown) => stored.every(({ key, version }) => (shown[key] ?? -1) >= version))
    if (isShown && !degraded.includes(true)) return
    await wait(10)
  }
}
