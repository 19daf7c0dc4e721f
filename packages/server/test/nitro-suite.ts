import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eventually, startRedis, type TestRedis } from '@tutti/test-kit'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { createNitroApp, type NitroApp, type NitroServer } from './nitro-app.ts'
import { connectPlain, type PlainClient } from './serve.ts'

/** One Nitro: where its application is, and its commands. */
export interface NitroUnderTest {
  source: URL
  build: readonly string[]
  dev: (port: number) => readonly string[]
  /** Environment of the dev server. */
  devEnv?: Record<string, string>
  /** With this in its environment the built application has no signal handler of Nitro's own. */
  withoutSignals: Record<string, string>
  /** Its dev server loses responses to POST, of every route; what needs them in dev is left out. */
  losesResponsesInDev?: boolean
  /** It passes on that it cannot listen. Nitro 3 discards this error. */
  reportsBusyPort?: boolean
}

const POLLING = { transports: ['polling'] }
const TOO_LARGE = 'x'.repeat(50_000)

/** What holds for an application with `attachRealtime` in a plugin, built and in dev. */
export function nitroSuite(name: string, nitro: NitroUnderTest): void {
  const { build, dev, devEnv = {}, losesResponsesInDev = false, reportsBusyPort = false } = nitro
  let app: NitroApp
  let redis: TestRedis
  let built: string
  beforeAll(async () => {
    ;[app, redis] = await Promise.all([createNitroApp(nitro.source), startRedis()])
    built = await app.run(build)
  })
  afterAll(async () => {
    await app.remove()
    await redis.stop()
  })
  const production = (env: Record<string, string> = {}): Promise<NitroServer> => app.serve(() => ['.output/server/index.mjs'], env)
  const ended = (server: NitroServer): NitroServer => {
    onTestFinished(() => server.kill())
    return server
  }

  describe(`${name}, built`, () => {
    let server: NitroServer
    beforeAll(async () => {
      server = await production({ REDIS_URL: redis.url })
    })
    afterAll(() => server.kill())

    behavesOnItsPort(() => server.url, true)

    test('[C5] after closing, polling gets 503 and a WebSocket is refused', async () => {
      const { url } = ended(await production({ REDIS_URL: redis.url }))
      expect(await (await fetch(`${url}/close`, { method: 'POST' })).text()).toBe('closed')
      expect((await fetch(`${url}/socket.io/?EIO=4&transport=polling`)).status).toBe(503)
      await expect(connectPlain(url)).rejects.toThrow('websocket error')
    })

    test('[C5] on SIGTERM clients are notified, the process ends, Redis is clean', async () => {
      const stopping = await production({ REDIS_URL: redis.url })
      const clients = await Promise.all([connectPlain(stopping.url), connectPlain(stopping.url), connectPlain(stopping.url, POLLING)])
      const waiting = await keptAlivePoll(stopping.url)
      const before = await connectionsOf(redis)
      const ms = await stopping.terminate()
      console.log(`${name}: ended ${Math.round(ms)} ms after SIGTERM, with 2 WebSockets and 2 long polls open`)
      expect(ms).toBeLessThan(10_000)
      expect(stopping.output).not.toMatch(/forcibly|timed out|timeout/i)
      const last = await waiting.response
      expect(await last.text()).toContain('server:draining')
      expect(last.headers.get('connection'), 'an idle connection would hold the process for seconds').toBe('close')
      for (const client of clients) await eventually(() => expect(client.of('server:draining')).toHaveLength(1))
      await eventually(async () => expect(await connectionsOf(redis)).toBe(before - 2))
    })

    test('[C5] without Nitro’s signal handling SIGTERM still notifies clients and ends', async () => {
      const stopping = ended(await production({ REDIS_URL: redis.url, ...nitro.withoutSignals }))
      const client = await connectPlain(stopping.url)
      expect(await stopping.terminate()).toBeLessThan(10_000)
      await eventually(() => expect(client.of('server:draining')).toHaveLength(1))
    })

    test('[F5] without Redis it works alone, stores state on disk, and warns once', async () => {
      const value = { stays: true }
      const first = ended(await production())
      await (await connectPlain(first.url)).request('storage:set', { key: 'kept', value })
      expect(first.output.match(/No `pubsub` configured/g)).toHaveLength(1)
      await first.terminate()
      const second = ended(await production())
      expect(await (await connectPlain(second.url)).request('storage:get', { key: 'kept' })).toMatchObject({ value })
    })

    test('[F5] nothing is attached while Nitro builds', () => {
      expect(built).not.toContain('TuttiWarning')
    })

    if (!reportsBusyPort) return

    test('[C5] an instance whose port is in use ends', async () => {
      const env = { HOST: '127.0.0.1', PORT: new URL(server.url).port, REDIS_URL: redis.url }
      expect(await app.run(['.output/server/index.mjs'], env)).toContain('EADDRINUSE')
    })
  })

  describe(`${name}, in dev`, () => {
    let server: NitroServer
    beforeAll(async () => {
      server = await app.serve(dev, { ...devEnv, REDIS_URL: redis.url })
    })
    afterAll(() => server.kill())

    behavesOnItsPort(() => server.url, !losesResponsesInDev)

    test('[C5] a plugin that runs again closes the instance before it', async () => {
      const connections = await connectionsOf(redis)
      const old = await connectPlain(server.url)
      const file = join(app.folder, 'server/plugins/realtime.ts')
      const source = await readFile(file, 'utf8')
      await writeFile(file, source.replace('10_000', '20_000'))
      // A dev server under load takes its time to build.
      await eventually(() => expect(old.socket.connected).toBe(false), { timeoutMs: 60_000 })
      const fresh = await eventually(
        async () => {
          const client = await connectPlain(server.url)
          await eventually(() => expect(client.of('server:hello')).toHaveLength(1))
          expect(helloOf(client).limits.maxPayloadBytes).toBe(20_000)
          return client
        },
        { timeoutMs: 60_000 },
      )
      expect(helloOf(fresh).instance).not.toBe(helloOf(old).instance)
      await eventually(async () => expect(await connectionsOf(redis)).toBe(connections))
      fresh.socket.disconnect()
    })

    test('[C5] on SIGTERM the dev server ends, and Redis is clean', async () => {
      const connections = await connectionsOf(redis)
      // It may build once more after the change of the file, and refuses connections meanwhile.
      await eventually(() => connectPlain(server.url), { timeoutMs: 60_000 })
      const ms = await server.terminate()
      console.log(`${name}: the dev server ended ${Math.round(ms)} ms after SIGTERM`)
      expect(ms).toBeLessThan(10_000)
      await eventually(async () => expect(await connectionsOf(redis)).toBe(connections - 2))
    })
  })
}

/** The behaviour on the port of the application, for any server in front. */
function behavesOnItsPort(url: () => string, answersPosts: boolean): void {
  const count = async (): Promise<unknown> => ((await (await fetch(`${url()}/count`)).json()) as { value: unknown }).value
  const connect = async (options: Parameters<typeof connectPlain>[1] = {}): Promise<PlainClient> => {
    const client = await connectPlain(url(), options)
    onTestFinished(() => void client.socket.disconnect())
    return client
  }

  test('[C3] a WebSocket and the routes of the application share the port and the state', async () => {
    const client = await connect()
    await client.request('storage:set', { key: 'count', value: 1 })
    expect(await count()).toBe(1)
  })

  test('[C3] so does polling', async () => {
    const client = await connect(POLLING)
    if (!answersPosts) return
    await client.request('storage:set', { key: 'count', value: 2 })
    expect(await count()).toBe(2)
  })

  for (const transport of ['websocket', 'polling']) {
    test(`[X1] allowRequest refuses on ${transport}`, async () => {
      await expect(connect({ transports: [transport], extraHeaders: { 'x-denied': 'yes' } })).rejects.toThrow(/error/)
    })

    test(`[X1] only pages of its own or listed origins are admitted on ${transport}`, async () => {
      const from = (origin: string): Promise<PlainClient> => connect({ transports: [transport], extraHeaders: { origin } })
      await expect(from('https://foe.example')).rejects.toMatchObject({ data: { code: 'FORBIDDEN', retryable: false } })
      await from('https://friend.example')
      await from(url())
    })
  }

  test('[X5] a message that is too large ends a WebSocket, and is not stored', async () => {
    const client = await connect()
    await client.request('storage:set', { key: 'count', value: 4 })
    await expect(client.send('storage:set', { key: 'count', value: TOO_LARGE })).rejects.toThrow('disconnected')
    expect(await count()).toBe(4)
  })

  if (!answersPosts) return

  test('[C3] polling becomes a WebSocket', async () => {
    const client = await connect({ transports: ['polling', 'websocket'] })
    await eventually(() => expect(client.socket.io.engine.transport.name).toBe('websocket'))
    await client.request('storage:set', { key: 'count', value: 3 })
    expect(await count()).toBe(3)
  })

  test('[X5] a message that is too large ends polling, and is not stored', async () => {
    const client = await connect(POLLING)
    await client.request('storage:set', { key: 'count', value: 5 })
    await expect(client.send('storage:set', { key: 'count', value: TOO_LARGE })).rejects.toThrow('disconnected')
    expect(await count()).toBe(5)
  })
}

const helloOf = (client: PlainClient) => client.of('server:hello')[0] as { instance: string; limits: { maxPayloadBytes: number } }

/** A client that polls over a connection that is kept alive, as browsers do, and waits for what comes next. */
async function keptAlivePoll(url: string): Promise<{ response: Promise<Response> }> {
  const poll = (sid: string, body?: string): Promise<Response> =>
    fetch(`${url}/socket.io/?EIO=4&transport=polling&sid=${sid}`, body === undefined ? {} : { method: 'POST', body })
  const { sid } = JSON.parse((await (await poll('')).text()).slice(1)) as { sid: string }
  await poll(sid, '40')
  let brought = ''
  while (!brought.includes('server:hello')) brought = await (await poll(sid)).text()
  return { response: poll(sid) }
}

/** Connections to Redis beside this one. */
async function connectionsOf({ url }: TestRedis): Promise<number> {
  const redis = new Redis(url)
  const list = String(await redis.client('LIST'))
  redis.disconnect()
  return list.trim().split('\n').length - 1
}
