import { expect, onTestFinished, test } from 'vitest'
import type { AuditRecord } from '../src/index.ts'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { connectPlain, serve, type Served } from './serve.ts'

const FRIEND = 'https://friend.example'
const FOE = 'https://foe.example'

async function served(options: Partial<AttachRealtimeOptions> = {}): Promise<Served> {
  const server = await serve(options)
  onTestFinished(() => server.close())
  return server
}

for (const transport of ['websocket', 'polling']) {
  /** `connected`, or the data of the refusal. */
  const from = async (url: string, extraHeaders: Record<string, string>, path = ''): Promise<unknown> => {
    try {
      const { socket } = await connectPlain(`${url}${path}`, { transports: [transport], extraHeaders })
      socket.disconnect()
      return 'connected'
    } catch (error) {
      return error instanceof Error && 'data' in error ? error.data : error
    }
  }
  const forbidden = expect.objectContaining({ code: 'FORBIDDEN', retryable: false })

  test(`[X1] listed and own origins, and clients without one, connect by ${transport}`, async () => {
    const { url } = await served({ origins: [FRIEND] })
    for (const headers of [{ origin: FRIEND }, { origin: 'https://FRIEND.example:443' }, { origin: url }, {}]) {
      expect(await from(url, headers), JSON.stringify(headers)).toBe('connected')
    }
  })

  test(`[X1] pages of other origins are refused for good, by ${transport}`, async () => {
    const { url } = await served({ origins: [FRIEND] })
    for (const origin of [FOE, `${FRIEND}.foe.example`, 'http://friend.example', `${FRIEND}:8443`, 'null', 'nonsense']) {
      expect(await from(url, { origin }), origin).toEqual(forbidden)
    }
    expect(await from(url, { origin: FOE })).toMatchObject({ message: expect.stringContaining(FOE) })
    expect(JSON.stringify(await from(url, { origin: FOE })), 'the host may be internal').not.toContain(new URL(url).host)
  })

  test(`[X1] a single origin, or only the own one, can connect by ${transport}`, async () => {
    const alone = await served({ origins: FRIEND })
    expect(await from(alone.url, { origin: FRIEND })).toBe('connected')
    for (const part of ['https://friend', 'friend.example', 'https://f']) expect(await from(alone.url, { origin: part })).toEqual(forbidden)
    const none = await served()
    expect(await from(none.url, { origin: none.url })).toBe('connected')
    expect(await from(none.url, { origin: FRIEND })).toEqual(forbidden)
  })

  test(`[X1] with \`*\` pages of all origins connect by ${transport}`, async () => {
    const { url } = await served({ origins: '*' })
    for (const origin of [FOE, 'null', 'capacitor://localhost']) expect(await from(url, { origin })).toBe('connected')
  })

  test(`[X1] allowRequest of the application is called too, by ${transport}`, async () => {
    const { url } = await served({
      origins: [FRIEND],
      socketIo: { allowRequest: ({ headers }, decide) => decide(null, headers['x-denied'] === undefined) },
    })
    expect(await from(url, { origin: FRIEND })).toBe('connected')
    expect(await from(url, { origin: FRIEND, 'x-denied': 'yes' })).toBeInstanceOf(Error)
  })

  test(`[X1] foreign pages reach no namespace of the application by ${transport}`, async () => {
    const { url, realtime } = await served({ origins: [FRIEND] })
    const connected: string[] = []
    realtime.io.of('/app').on('connection', (socket) => connected.push(socket.nsp.name))
    realtime.io.of(/^\/room-\d$/).on('connection', (socket) => connected.push(socket.nsp.name))
    for (const path of ['/app', '/room-1']) {
      expect(await from(url, { origin: FOE }, path)).toEqual(forbidden)
      expect(await from(url, { origin: FRIEND }, path)).toBe('connected')
    }
    expect(connected).toEqual(['/app', '/room-1'])
    expect(realtime.counts.refusals).toEqual({ FORBIDDEN: 2 })
  })

  test(`[X1] [X7] a refused origin is counted and audited, by ${transport}`, async () => {
    const records: AuditRecord[] = []
    const { url, realtime } = await served({ onAudit: (record) => records.push(record), trustProxy: 1 })
    await from(url, { origin: FOE })
    await from(url, { origin: FOE, 'x-forwarded-host': 'app.example' })
    await from(url, { origin: `${FOE}/${'x'.repeat(1_000)}` })
    expect(realtime.counts.refusals).toEqual({ FORBIDDEN: 3 })
    const record = { at: expect.any(Number), user: '', address: '127.0.0.1', action: 'connect', code: 'FORBIDDEN' }
    expect(records).toEqual([
      { ...record, target: { origin: FOE, host: new URL(url).host } },
      { ...record, target: { origin: FOE, host: 'app.example' } },
      { ...record, target: { origin: expect.stringMatching(/^.{256}$/), host: new URL(url).host } },
    ])
  })

  test(`[X1] behind a trusted proxy the forwarded host is the own one, by ${transport}`, async () => {
    const [trusting, other] = [await served({ trustProxy: 1 }), await served()]
    const page = { origin: 'https://app.example', 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' }
    expect(await from(trusting.url, page)).toBe('connected')
    expect(await from(trusting.url, { origin: page.origin, forwarded: 'for=192.0.2.1;host=app.example' })).toBe('connected')
    expect(await from(other.url, page)).toEqual(forbidden)
    expect(await from(trusting.url, { ...page, origin: FOE, 'x-forwarded-host': 'foe.example, app.example' })).toEqual(forbidden)
  })
}

test('[X1] a browser may read the answers to pages of listed origins only', async () => {
  const { url } = await served({ origins: [FRIEND], socketIo: { cors: { credentials: true } } })
  const headersFor = async (origin: string): Promise<unknown[]> => {
    const { headers } = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } })
    return ['origin', 'credentials'].map((name) => headers.get(`access-control-allow-${name}`))
  }
  expect(await headersFor(FRIEND)).toEqual([FRIEND, 'true'])
  expect((await headersFor(FOE))[0]).toBeNull()
  const preflight = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { method: 'OPTIONS', headers: { origin: FRIEND } })
  expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, FRIEND])
  const all = await served({ origins: '*' })
  expect(
    (await fetch(`${all.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin: FOE } })).headers.get('access-control-allow-origin'),
  ).toBe('*')
})

test('[X1] application routes can check whether cookies count for a request', async () => {
  const { realtime } = await served({ origins: [FRIEND], trustProxy: 1 })
  const forwarded = { host: 'inner', 'x-forwarded-host': 'app.example' }
  const trusts = (headers: Record<string, string>): boolean[] => [
    realtime.trustsOrigin({ headers }),
    realtime.trustsOrigin(new Request('http://inner/', { headers })),
  ]
  expect(trusts({ ...forwarded, origin: 'https://app.example' })).toEqual([true, true])
  expect(trusts({ ...forwarded, origin: FRIEND })).toEqual([true, true])
  expect(trusts(forwarded)).toEqual([true, true])
  expect(trusts({ ...forwarded, origin: FOE })).toEqual([false, false])
  const all = await served({ origins: '*' })
  expect(all.realtime.trustsOrigin({ headers: { host: 'app.example', origin: FOE } })).toBe(false)
  const plain = { host: 'app.example', origin: 'http://app.example' }
  expect(all.realtime.trustsOrigin({ headers: plain })).toBe(true)
  expect(all.realtime.trustsOrigin({ headers: plain, socket: { encrypted: true } })).toBe(false)
})
