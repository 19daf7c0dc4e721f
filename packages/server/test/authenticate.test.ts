import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, request, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { RealtimeError } from '@tutti/protocol'
import { reactiveDriver } from '@tutti/storage-driver'
import { SignJWT, jwtVerify } from 'jose'
import memoryDriver from 'unstorage/drivers/memory'
import { eventually } from '@tutti/test-kit'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { AuditRecord, Credentials, User } from '../src/index.ts'
import { attachRealtime, type AttachRealtimeOptions } from '../src/http/node/index.ts'
import { connectPlain, serve, type PlainClient, type Served } from './serve.ts'

async function served<U extends User>(options: Partial<AttachRealtimeOptions<U>>): Promise<Served> {
  const server = await serve(options)
  onTestFinished(() => server.close())
  return server
}

const refusalOf = (connecting: Promise<PlainClient>): Promise<unknown> =>
  connecting.then(
    () => 'let in',
    (error: { data?: unknown }) => error.data,
  )

describe('a signed token', () => {
  const secret = new TextEncoder().encode('a secret of at least thirty-two bytes')
  const sign = (id: string, expiresAt: number): Promise<string> =>
    new SignJWT({ role: 'editor' }).setProtectedHeader({ alg: 'HS256' }).setSubject(id).setExpirationTime(new Date(expiresAt)).sign(secret)

  const authenticate = async ({ token = '' }: Credentials): Promise<User & { role: unknown }> => {
    const { payload } = await jwtVerify(token, secret)
    return { id: payload.sub ?? '', role: payload['role'], expiresAt: (payload.exp ?? 0) * 1000 }
  }

  test('[X1] names the user', async () => {
    const users: unknown[] = []
    const { url } = await served({ authenticate, authorize: ({ user }) => users.push(user) > 0 })
    const client = await connectPlain(url, { auth: { token: await sign('ann', Date.now() + 60_000) } })
    await client.request('storage:get', { key: 'a' })
    expect(users).toEqual([{ id: 'ann', role: 'editor', expiresAt: expect.any(Number) }])
    client.socket.disconnect()
  })

  test('[X1] a missing, forged or expired token is UNAUTHENTICATED, not retryable', async () => {
    const { url } = await served({ authenticate })
    const valid = await sign('ann', Date.now() + 60_000)
    const forged = await new SignJWT({})
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ann')
      .sign(new TextEncoder().encode('x'.repeat(32)))
    for (const token of [undefined, '', 'rubbish', forged, `${valid}x`, await sign('ann', Date.now() - 5_000)]) {
      expect(await refusalOf(connectPlain(url, { auth: { token } }))).toEqual({
        code: 'UNAUTHENTICATED',
        message: 'Authentication failed. Connect again with other credentials.',
        retryable: false,
      })
    }
  })

  test('[X1] when it expires the connection ends with the reason', async () => {
    const { url } = await served({ authenticate: ({ token = '' }: Credentials) => ({ id: 'ann', expiresAt: Number(token) }) })
    const client = await connectPlain(url, { auth: { token: String(Date.now() + 300) } })
    const reason = new Promise((resolve) => client.socket.once('disconnect', resolve))
    expect(await reason).toBe('io server disconnect')
    expect(client.of('server:revoked')).toEqual([
      {
        target: { connection: true },
        error: {
          code: 'UNAUTHENTICATED',
          message: 'The session has expired (`expiresAt`). Connect again with new credentials.',
          retryable: false,
        },
      },
    ])
    expect(await refusalOf(connectPlain(url, { auth: { token: '1' } }))).toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})

describe('a session cookie', () => {
  const sessions = new Map([['s1', { id: 'ann' }]])
  const authenticate = ({ headers }: Credentials): User | undefined =>
    sessions.get(/(?:^|; )session=([^;]*)/.exec(headers.cookie ?? '')?.[1] ?? '')
  const cookie = 'theme=dark; session=s1'

  test.each(['websocket', 'polling'])('[X1] of a page of the server’s own origin names the user, by %s', async (transport) => {
    const { url } = await served({ authenticate })
    const from = (extraHeaders: Record<string, string>) => refusalOf(connectPlain(url, { transports: [transport], extraHeaders }))
    expect(await from({ cookie, origin: url })).toBe('let in')
    expect(await from({ cookie })).toBe('let in')
    expect(await from({ cookie: 'session=s2', origin: url })).toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test.each(['websocket', 'polling'])('[X1] of a page of a listed origin names the user, by %s', async (transport) => {
    const friend = 'https://friend.example'
    const { url } = await served({ authenticate, origins: [friend] })
    const from = (origin: string) => refusalOf(connectPlain(url, { transports: [transport], extraHeaders: { cookie, origin } }))
    expect(await from(friend)).toBe('let in')
    expect(await from('https://foe.example')).toMatchObject({ code: 'FORBIDDEN' })
  })

  test.each(['websocket', 'polling'])('[X1] never counts for a page that only `*` lets in, by %s', async (transport) => {
    const { url } = await served({ authenticate, origins: '*' })
    const from = (origin: string) => refusalOf(connectPlain(url, { transports: [transport], extraHeaders: { cookie, origin } }))
    expect(await from(url)).toBe('let in')
    for (const origin of ['https://foe.example', 'null']) expect(await from(origin)).toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})

test('[X1] null, undefined and any thrown value refuse; an error keeps its code', async () => {
  let answer = (): User | null | undefined => null
  const { url } = await served({ authenticate: async () => answer() })
  expect(await refusalOf(connectPlain(url))).toMatchObject({
    code: 'UNAUTHENTICATED',
    message: 'Not authenticated: `authenticate` returned no user. Sign in and connect again.',
  })
  answer = () => undefined
  expect(await refusalOf(connectPlain(url))).toMatchObject({ code: 'UNAUTHENTICATED' })
  answer = () => {
    throw new RealtimeError('UNAVAILABLE', { message: 'The user database is away.', retryAfterMs: 50 })
  }
  expect(await refusalOf(connectPlain(url))).toEqual({
    code: 'UNAVAILABLE',
    message: 'The user database is away.',
    retryable: true,
    retryAfterMs: 50,
  })
  answer = () => ({ id: 'ann' })
  expect(await refusalOf(connectPlain(url))).toBe('let in')
})

test('[X1] a user without a valid id is refused, and the error is reported', async () => {
  const errors: unknown[] = []
  const users: unknown[] = [{}, { id: '' }, { id: 7 }, { id: '\ud800' }]
  const { url } = await served({
    authenticate: () => users[errors.length] as User,
    onError: (error, { stage }) => errors.push([stage, error]),
  })
  for (const _ of users) expect(await refusalOf(connectPlain(url))).toMatchObject({ code: 'INTERNAL' })
  expect(errors).toEqual(users.map(() => ['authenticate', expect.any(TypeError)]))
})

test('[X1] authenticate receives the handshake and the address per trustProxy', async () => {
  const seen: Credentials[] = []
  const authenticate = (credentials: Credentials): User => ({ id: String(seen.push(credentials)) })
  const { url } = await served({ authenticate, trustProxy: 1 })
  const extraHeaders = { 'x-forwarded-for': 'i.am.lying, 203.0.113.7', 'x-app': 'yes' }
  const client = await connectPlain(url, { auth: { token: 't', device: 'phone' }, extraHeaders, query: { room: '1' } })
  expect(seen).toEqual([
    {
      token: 't',
      auth: { token: 't', device: 'phone' },
      address: '203.0.113.7',
      headers: expect.objectContaining({ 'x-app': 'yes' }),
      url: expect.stringMatching(/^\/socket\.io\/\?.*room=1/),
    },
  ])
  client.socket.disconnect()
})

test('[X8] authenticate and the audit get the normal form of an address', async () => {
  const addresses: string[] = []
  const authenticate = ({ address }: Credentials): User => ({ id: String(addresses.push(address)) })
  const onAudit = ({ address }: AuditRecord): void => void addresses.push(address)
  const { url } = await served({ authenticate, onAudit, auditAllowed: true, trustProxy: 1 })
  for (const forwarded of ['203.0.113.7:5678', '::FFFF:203.0.113.7', '[2001:DB8:0::7]:443', 'rubbish']) {
    const client = await connectPlain(url, { extraHeaders: { 'x-forwarded-for': forwarded } })
    client.socket.disconnect()
  }
  await eventually(() => expect(addresses).toHaveLength(8))
  expect(new Set(addresses)).toEqual(new Set(['203.0.113.7', '2001:db8::7', 'unknown']))
})

test('[X8] a client on a Unix socket has the address `unknown`', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tutti-unix-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const socketPath = join(folder, 'server')
  const authenticated = Promise.withResolvers<string>()
  const httpServer = createServer()
  const authenticate = ({ address }: Credentials): User => {
    authenticated.resolve(address)
    return { id: 'ann' }
  }
  const realtime = attachRealtime(httpServer, { state: reactiveDriver(memoryDriver()), onWarning: () => {}, authenticate })
  onTestFinished(async () => {
    await realtime.close()
    httpServer.close()
    httpServer.closeAllConnections()
  })
  await once(httpServer.listen(socketPath), 'listening')
  const poll = async (method: string, session: string, body?: string): Promise<string> => {
    const polled = request({ socketPath, method, path: `/socket.io/?EIO=4&transport=polling${session}` }).end(body)
    const [response] = (await once(polled, 'response')) as [IncomingMessage]
    return text(response)
  }
  const { sid } = JSON.parse((await poll('GET', '')).slice(1))
  await poll('POST', `&sid=${sid}`, '40')
  expect(await authenticated.promise).toBe('unknown')
})

test('[S12] [X1] two users with one clientId share no memory of mutations', async () => {
  const { url, realtime } = await served({
    state: reactiveDriver(memoryDriver()),
    authenticate: ({ token = '' }: Credentials) => ({ id: token }),
  })
  const connect = (token: string): Promise<PlainClient> => connectPlain(url, { auth: { token, clientId: 'stolen' } })
  const [ann, eve] = await Promise.all([connect('ann'), connect('eve')])
  const mutation = { number: 7 }
  await ann.request('storage:increment', { key: 'n', by: 1, mutation })
  await eve.request('storage:increment', { key: 'n', by: 1, mutation })
  await eve.request('storage:increment', { key: 'n', by: 1, mutation })
  await eventually(async () => expect(await realtime.state.get('n')).toMatchObject({ value: 2 }))
  for (const { socket } of [ann, eve]) socket.disconnect()
})
