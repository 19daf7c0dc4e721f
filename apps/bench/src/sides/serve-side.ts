import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { serveInstance } from '@tutti/test-kit/instance'
import { peakBytes, resetPeak } from '../measure/peak-rss.ts'
import { createProfiler } from '../measure/profiler.ts'
import { listen } from './listen.ts'

/** An instance of a side, before it listens. */
export interface StartedSide {
  httpServer: Server
  /** Runs before the process ends. */
  stop?: () => Promise<void>
}

const ELEMENTS = 100
const BYTES_PER_ELEMENT = 8

/** Makes so many bytes of garbage in the young generation. */
function makeGarbage(bytes: number): void {
  for (let made = 0; made < bytes; made += ELEMENTS * BYTES_PER_ELEMENT) Array.from({ length: ELEMENTS }, (_, index) => index)
}

/**
 * Starts and serves one instance of any side: it listens, and the benchmark can read its CPU and memory, cut its connections
 * and profile it. The process ends with the one that started it, also while it still waits for Redis.
 */
export async function serveSide(start: () => StartedSide | Promise<StartedSide>): Promise<void> {
  process.once('disconnect', () => process.exit(0))
  const { httpServer, stop } = await start()
  const sockets = new Set<Socket>()
  httpServer.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const url = await listen(httpServer)
  serveInstance(
    { url },
    {
      cpu: () => process.cpuUsage(),
      memory: async () => {
        // This kind of collection also shrinks the young generation and returns free pages to the system. After a plain `gc()` they
        // are most of the growth of the RSS, and depend on the speed of the machine. Several times, for finalizers release more.
        for (let times = 0; times < 3; times += 1) {
          globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
        resetPeak()
        const { rss, heapUsed } = process.memoryUsage()
        return { rss, heapUsed }
      },
      /** The highest RSS since `memory`. */
      peakBytes,
      makeGarbage: (bytes) => makeGarbage(Number(bytes)),
      cut: () => {
        for (const socket of sockets) socket.destroy()
      },
      ...createProfiler(),
    },
  )
  process.once('SIGTERM', () => void Promise.resolve(stop?.()).then(() => process.exit(0)))
}
