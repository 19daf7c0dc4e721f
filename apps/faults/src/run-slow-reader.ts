import { setTimeout as wait } from 'node:timers/promises'
import { eventually, startRedis, startTcpProxy } from '@tutti/test-kit'
import { io } from 'socket.io-client'
import { startProcess } from './start-process.ts'

const INSTANCE = new URL('./tutti-instance.ts', import.meta.url)
const KEYS = Array.from({ length: 10 }, (_, number) => `key:${number}`)
/** Changes of each key in a second: 1,000 of all. */
const PER_SECOND = 100
const VALUE_BYTES = 1_000

/** Behaviour of the connection: it reads, it reads nothing, or it reads nothing and the server has no limits. */
export type Reader = 'reads' | 'stalls' | 'stalls, without limits'

/** The cost of one connection. */
export interface SlowReaderResult {
  /** Heap and external memory of the instance at the end, after garbage collection, bytes. */
  readonly usedBytes: number
  /** Updates sent to it. */
  readonly updates: number
  /** Time from its resumed reading until it showed the newest values, milliseconds. */
  readonly newestMs: number
}

/** One connection to an instance whose keys change 1,000 times a second (C4). */
export async function runSlowReader(seconds: number, reader: Reader): Promise<SlowReaderResult> {
  const redis = await startRedis()
  const limits = reader === 'stalls, without limits' ? { backpressure: { maxUnsentPackets: 1e9, maxUnsentBytes: 2e9 } } : {}
  // By default a connection that replies to no ping for 5.5 s is closed.
  const options = { ...limits, pingTimeoutMs: (seconds + 60) * 1_000 }
  const env = {
    REDIS: JSON.stringify({ host: redis.host, port: redis.port }),
    SERVER_OPTIONS: JSON.stringify(options),
    // A process that compiles its code uses 11 MB more than one that finds it in the cache.
    NODE_DISABLE_COMPILE_CACHE: '1',
  }
  const instance = await startProcess(INSTANCE, undefined, env)
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(instance.ready['port']) })
  const socket = io(`http://127.0.0.1:${proxy.port}`, { transports: ['websocket'], reconnection: false })
  const shown = new Map<string, number>()
  let updates = 0
  socket.on('storage:updated', ({ key, version }: { key: string; version: number }) => {
    updates += 1
    shown.set(key, version)
  })
  try {
    await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('connect_error', reject))
    await socket.emitWithAck('storage:subscribe', { keys: KEYS.map((key) => ({ key })) })
    await instance.call('write', KEYS, PER_SECOND, VALUE_BYTES)
    await wait(1_000)
    if (reader !== 'reads') proxy.stall('down')
    await wait(seconds * 1_000)
    // Afterwards, so that nothing is counted that is still in progress.
    await instance.call('rest')
    const usedBytes = Number(await instance.call('memory'))
    const readsAgain = performance.now()
    proxy.flow()
    const newest = await eventually(
      async () => {
        const entries = (await instance.call('read', KEYS)) as { key: string; version: number }[]
        if (entries.some(({ key, version }) => shown.get(key) !== version)) throw new Error('The newest values do not come.')
        return performance.now()
      },
      { timeoutMs: 20_000 },
    )
    return { usedBytes, updates, newestMs: Math.round(newest - readsAgain) }
  } finally {
    socket.disconnect()
    await proxy.close()
    await instance.kill()
    await redis.stop()
  }
}
