import { createServer } from 'node:http'
import { Session } from 'node:inspector/promises'
import { sep } from 'node:path'
import { createRealtimeClient } from '@tutti/client'
import { RealtimePubSub } from '@tutti/pubsub'
import { attachRealtime, type AttachedRealtimeServer } from '@tutti/server/node'
import { rules } from '@tutti/server'
import { reactiveRedisDriver } from '@tutti/storage-driver'
import { createRealtime, useRealtimeState } from '@tutti/vue'
import { createApp, watch } from 'vue'

// Runs one `set` that is warm, from a client through two instances to a Vue ref of another client, and prints the functions
// that V8 saw on that way as JSON: `[package, file, function, calls]`. Argument: the URL of a Redis.

const [, , url = ''] = process.argv
const closing: (() => Promise<unknown>)[] = []

async function startServer(): Promise<{ realtime: AttachedRealtimeServer; url: string }> {
  const http = createServer()
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const pubsub = new RealtimePubSub({ url })
  const realtime = attachRealtime(http, {
    state: reactiveRedisDriver({ pubsub }),
    pubsub,
    authenticate: ({ token }) => ({ id: String(token) }),
    authorize: rules({ state: { 'k:*': { read: true, write: true } } }),
    // Its heartbeat is not part of the path, and would be recorded if it came in between.
    presence: false,
    locks: false,
  })
  await realtime.ready
  closing.push(async () => {
    await realtime.close()
    http.close()
    http.closeAllConnections()
  })
  const address = http.address()
  return { realtime, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` }
}

const connect = (server: { url: string }, token: string) => {
  const client = createRealtimeClient({ url: server.url, auth: () => ({ token }) })
  closing.push(async () => client.close())
  return client
}

const [one, other] = [await startServer(), await startServer()]
const writer = connect(one, 'writer').state<{ n: number }>('k:1')
const reader = connect(other, 'reader')

const app = createApp({}).use(createRealtime({ client: reader }))
const shown = app.runWithContext(() => useRealtimeState('k:1', { n: 0 }))

/** Writes, and waits until the reader shows it. */
async function set(n: number): Promise<void> {
  const isShown = new Promise<void>((resolve) => {
    const stop = watch(
      () => shown.value.n,
      (value) => {
        if (value !== n) return
        stop()
        resolve()
      },
      { flush: 'sync' },
    )
  })
  await Promise.all([writer.set({ n }), isShown])
}

for (let n = 1; n <= 100; n += 1) await set(n)
const session = new Session()
session.connect()
await session.post('Profiler.enable')
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })

const packages = `${sep}packages${sep}`
async function record(n: number) {
  await session.post('Profiler.takePreciseCoverage')
  await set(n)
  const { result } = await session.post('Profiler.takePreciseCoverage')
  return result.flatMap(({ url: script, functions }) => {
    const [, path = ''] = decodeURIComponent(script).split(packages)
    const [name = '', , ...file] = path.split(sep)
    if (path === '' || path.includes('node_modules')) return []
    return functions.flatMap(({ functionName, ranges: [range] }) =>
      range === undefined || range.count === 0 ? [] : [[name, file.join('/'), functionName, range.count] as const],
    )
  })
}

// A timer, such as that of a heartbeat, may come in between: it is not part of the shortest one.
const recordings: Awaited<ReturnType<typeof record>>[] = []
for (let n = 101; n <= 110; n += 1) recordings.push(await record(n))
process.stdout.write(JSON.stringify(recordings.toSorted((a, b) => a.length - b.length)[0]))
for (const close of closing.toReversed()) await close()
process.exit(0)
