import { createServer, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { RealtimeError } from '@tutti/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { AuditRecord, Credentials, HttpRequest, User } from '../src/index.ts'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { serve, type Served } from './serve.ts'

async function served(options: Partial<AttachRealtimeOptions>): Promise<Served> {
  const server = await serve(options)
  onTestFinished(() => server.close())
  return server
}

const sessions = new Map([['s1', { id: 'ann' }]])
const authenticate = ({ headers }: Credentials): User | undefined => sessions.get(/session=([^;]*)/.exec(headers.cookie ?? '')?.[1] ?? '')

/** The request as each kind of server has it. */
const kinds: [string, (path: string, headers: Record<string, string>) => Promise<HttpRequest>][] = [
  ['a Request', async (path, headers) => new Request(`http://app.example${path}`, { headers })],
  [
    'a Request with headers of a class of the server',
    async (path, headers) => {
      const given = new Headers(headers)
      const own = { get: (name: string) => given.get(name), entries: () => given.entries() }
      return { url: `http://app.example${path}`, headers: own as unknown as Headers, ip: '127.0.0.1' }
    },
  ],
  [
    'a request of Node',
    async (path, headers) => {
      const server = createServer((request, response) => response.end(void seen.push(request)))
      const seen: IncomingMessage[] = []
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      await fetch(`http://127.0.0.1:${port}${path}`, { headers })
      server.close()
      return seen[0] ?? expect.fail('no request')
    },
  ],
]

describe.each(kinds)('%s', (kind, requestOf) => {
  test('[X11] [X1] is identified by its cookie, not by that of a foreign page', async () => {
    const { realtime } = await served({ authenticate })
    const cookie = 'theme=dark; session=s1'
    expect(await realtime.authenticate(await requestOf('/', { cookie }))).toEqual({ id: 'ann' })
    const refused = { code: 'UNAUTHENTICATED' }
    await expect(realtime.authenticate(await requestOf('/', { cookie: 'session=s2' }))).rejects.toMatchObject(refused)
    await expect(realtime.authenticate(await requestOf('/', { cookie, origin: 'https://other.example' }))).rejects.toMatchObject(refused)
    if (kind !== 'a request of Node')
      expect(await realtime.authenticate(await requestOf('/', { cookie, origin: 'http://app.example' }))).toEqual({ id: 'ann' })
  })

  test('[X11] [X1] receives path, headers and address per `trustProxy`, and no token', async () => {
    const seen: Credentials[] = []
    const { realtime } = await served({ authenticate: (credentials) => ({ id: String(seen.push(credentials)) }), trustProxy: 1 })
    await realtime.authenticate(await requestOf('/page?a=1', { 'x-forwarded-for': 'lie, 203.0.113.7', 'x-app': 'yes' }))
    expect(seen).toEqual([
      { token: undefined, auth: {}, url: '/page?a=1', address: '203.0.113.7', headers: expect.objectContaining({ 'x-app': 'yes' }) },
    ])
  })
})

test('[X11] a server without `authenticate` identifies no user', async () => {
  const { realtime } = await served({})
  expect(await realtime.authenticate(new Request('http://app.example/'))).toBe(null)
})

test('[X11] [X7] a refused request is audited, other errors are reported as INTERNAL', async () => {
  const records: AuditRecord[] = []
  const errors: unknown[] = []
  let answer = (): User | null => null
  const { realtime } = await served({
    authenticate: () => answer(),
    onAudit: (record) => records.push(record),
    onError: (error, { stage }) => errors.push([stage, error]),
  })
  const request = { headers: {}, socket: { remoteAddress: '203.0.113.7' } }
  await expect(realtime.authenticate(request)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  answer = () => {
    throw new RealtimeError('UNAVAILABLE')
  }
  await expect(realtime.authenticate(request)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true })
  answer = () => ({ id: '' })
  await expect(realtime.authenticate(request)).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(errors).toEqual([['authenticate', expect.any(TypeError)]])
  const refused = { at: expect.any(Number), user: '', address: '203.0.113.7', action: 'authenticate' }
  expect(records).toEqual(['UNAUTHENTICATED', 'UNAVAILABLE', 'INTERNAL'].map((code) => ({ ...refused, code })))
})

test('[X11] the user of a request acts with the rights of that user', async () => {
  const { realtime } = await served({ authenticate, authorize: ({ user, target }) => 'key' in target && target.key === user?.id })
  await realtime.state.set('ann', 'private')
  const { state } = realtime.as(await realtime.authenticate(new Request('http://app.example/', { headers: { cookie: 'session=s1' } })))
  expect(await state.get('ann')).toMatchObject({ value: 'private' })
  await expect(state.get('ben')).rejects.toMatchObject({ code: 'FORBIDDEN' })
})
