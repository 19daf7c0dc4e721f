import { createRedisLogs } from '@tutti/coordination/logs'
import { RealtimePubSub } from '@tutti/pubsub'
import { eventually, startRedis, startTcpProxy } from '@tutti/test-kit'
import { io, type Socket } from 'socket.io-client'
import { startProcess } from './start-process.ts'

const INSTANCE = new URL('./tutti-instance.ts', import.meta.url)
const CHANNEL = 'chat:replay'
const PATTERN = 'chat:*'
/** Appends without a reply at a time. */
const IN_FLIGHT = 1_000

/** The cost of one connection that missed records. */
export interface ReplayResult {
  /** The most heap and external memory of the instance during the replay, after garbage collection, above that before it, bytes. */
  readonly usedBytes: number
  /** The bytes that the connection received, by those of the records. */
  readonly bytesRatio: number
  readonly received: number
  readonly seconds: number
  /** The longest wait for the reply to another request during the replay, milliseconds. */
  readonly longestReplyMs: number
}

/** One connection that missed so many records of so many bytes, and reads nothing for a moment while it receives them (E6). */
export async function runReplay(records: number, recordBytes: number): Promise<ReplayResult> {
  const redis = await startRedis()
  const address = { host: redis.host, port: redis.port }
  const limits = { durable: { [PATTERN]: { maxRecords: records } } }
  const env = { REDIS: JSON.stringify(address), SERVER_OPTIONS: JSON.stringify(limits), NODE_DISABLE_COMPILE_CACHE: '1' }
  const instance = await startProcess(INSTANCE, undefined, env)
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: Number(instance.ready['port']) })
  const pubsub = new RealtimePubSub(address)
  const sockets: Socket[] = []
  const connect = async (): Promise<Socket> => {
    const socket = io(`http://127.0.0.1:${proxy.port}`, { transports: ['websocket'], reconnection: false, forceNew: true })
    sockets.push(socket)
    await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('connect_error', reject))
    return socket
  }
  const memory = async (): Promise<number> => Number(await instance.call('memory'))
  try {
    const away = await connect()
    const { offset }: { offset: string } = await away.emitWithAck('event:subscribe', { channel: CHANNEL, durable: true })
    away.disconnect()
    await append(pubsub, records, recordBytes)
    const socket = await connect()
    const before = await memory()

    let [received, bytes, isAtEnd] = [0, 0, false]
    socket.io.engine.on('data', (packet: unknown) => (bytes += String(packet).length))
    socket.on('event:replayed', ({ events, more }: { events: unknown[]; more?: true }) => {
      received += events.length
      isAtEnd = more !== true
    })
    let [peak, longestReplyMs] = [0, 0]
    const begin = performance.now()
    await socket.emitWithAck('event:subscribe', { channel: CHANNEL, durable: true, offset, skipOwn: true })
    proxy.stall('down')
    const reads: number[] = []
    await eventually(
      async () => {
        reads.push(await readsOf(pubsub))
        const isAtRest = reads.length >= 5 && new Set(reads.slice(-5)).size === 1
        if (!isAtRest) throw new Error('The instance reads the log although the connection reads nothing.')
      },
      { timeoutMs: 60_000, everyMs: 50 },
    )
    peak = await memory()
    proxy.flow()
    await eventually(
      async () => {
        if (!socket.connected) return
        const sent = performance.now()
        await socket.timeout(10_000).emitWithAck('storage:get', { key: 'other' })
        longestReplyMs = Math.max(longestReplyMs, performance.now() - sent)
        peak = Math.max(peak, await memory())
        if (!isAtEnd) throw new Error(`${received} of ${records} records were received.`)
      },
      { timeoutMs: 600_000, everyMs: 100 },
    )
    const seconds = (performance.now() - begin) / 1_000
    return { usedBytes: peak - before, bytesRatio: bytes / (records * recordBytes), received, seconds, longestReplyMs }
  } finally {
    for (const socket of sockets) socket.disconnect()
    await pubsub.dispose()
    await proxy.close()
    await instance.kill()
    await redis.stop()
  }
}

/** Reads of all logs so far. */
async function readsOf({ link }: RealtimePubSub): Promise<number> {
  const stats = String(await link.command('INFO', 'commandstats'))
  return Number(/^cmdstat_xrange:calls=(\d+)/m.exec(stats)?.[1] ?? 0)
}

async function append(pubsub: RealtimePubSub, records: number, recordBytes: number): Promise<void> {
  const logs = createRedisLogs({ link: pubsub.link, pattern: PATTERN, maxRecords: records })
  const json = JSON.stringify('x'.repeat(recordBytes - 2))
  for (let left = records; left > 0; left -= IN_FLIGHT) {
    await Promise.all(Array.from({ length: Math.min(left, IN_FLIGHT) }, () => logs.append(CHANNEL, { json })))
  }
  await logs.close()
}
