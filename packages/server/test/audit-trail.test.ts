import { RealtimeError } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test, vi } from 'vitest'
import { rules, type AuditRecord, type Credentials } from '../src/index.ts'
import type { AttachRealtimeOptions } from '../src/http/node/index.ts'
import { serve, type PlainClient, type Served } from './serve.ts'

type Audited = Served & { records: Omit<AuditRecord, 'at'>[]; as: (token: string) => Promise<PlainClient> }

const authenticate = ({ token }: Credentials) => (token === undefined ? null : { id: token.replace('token-of-', '') })
const authorize = rules({
  state: { 'todos:*': { read: true, write: true }, 'notes:*': { read: true } },
  events: { 'chat:*': { subscribe: true, publish: true } },
})

async function served(options: Partial<AttachRealtimeOptions> = {}): Promise<Audited> {
  const records: Audited['records'] = []
  const onAudit = ({ at, ...record }: AuditRecord): void => {
    expect(Math.abs(at - Date.now())).toBeLessThan(60_000)
    records.push(record)
  }
  const server = await serve({ authenticate, authorize, trustProxy: 1, onAudit, ...options })
  onTestFinished(() => server.close())
  const extraHeaders = { 'x-forwarded-for': '203.0.113.7', cookie: 'session=secret-cookie' }
  const as = (user: string) => server.connect({ auth: { token: `token-of-${user}` }, extraHeaders })
  return { ...server, records, as }
}

const ann = { user: 'ann', address: '203.0.113.7' }

test('[X2] [X7] refusals are recorded with user and reason, without values or tokens', async () => {
  const { as, records, realtime } = await served()
  const client = await as('ann')
  await client.send('storage:set', { key: 'notes:1', value: 'secret-value' })
  await client.send('storage:patch', { key: 'notes:1', patch: { secret: 'secret-value' } })
  await client.send('storage:subscribe', { keys: [{ key: 'todos:1' }, { key: 'other' }, { key: 'another' }] })
  await client.send('storage:subscribe', { prefix: 'other:' })
  await client.send('event:publish', { channel: 'other', data: 'secret-value' })
  await client.send('event:subscribe', { channel: '*' })
  expect(records).toEqual([
    { ...ann, action: 'state:write', target: { key: 'notes:1' }, code: 'FORBIDDEN' },
    { ...ann, action: 'state:write', target: { key: 'notes:1' }, code: 'FORBIDDEN' },
    { ...ann, action: 'state:read', target: { key: 'other' }, code: 'FORBIDDEN' },
    { ...ann, action: 'state:read', target: { prefix: 'other:' }, code: 'FORBIDDEN' },
    { ...ann, action: 'event:publish', target: { channel: 'other' }, code: 'FORBIDDEN' },
  ])
  expect(JSON.stringify(records)).not.toMatch(/secret|token/)
  expect(realtime.counts.refusals).toEqual({ FORBIDDEN: 5 })
})

test('[X1] a refused sign-in is recorded with the address, and counted by its code', async () => {
  const { connect, records, realtime } = await served()
  await expect(connect()).rejects.toMatchObject({ data: { code: 'UNAUTHENTICATED' } })
  await expect(connect({ auth: { protocol: 99 } })).rejects.toMatchObject({ data: { code: 'PROTOCOL' } })
  const refused = { user: '', address: '127.0.0.1', action: 'connect' }
  expect(records).toEqual(['UNAUTHENTICATED', 'PROTOCOL'].map((code) => ({ ...refused, code })))
  expect(realtime.counts.refusals).toEqual({ UNAUTHENTICATED: 1, PROTOCOL: 1 })
})

test('[X5] every refusal of a request is counted by its code', async () => {
  const { as, realtime, records } = await served({ limits: { mutationsPerSecond: 2 } })
  const client = await as('ann')
  for (const key of ['todos:1', 'todos:a/b', 'todos:2']) await client.send('storage:set', { key, value: 1 })
  await client.send('storage:nonsense', {})
  await client.send('event:subscribe', { channel: 'a:*:b' })
  client.socket.emit('storage:get', { key: '' })
  await client.send('storage:get', { key: 'todos:1' })
  expect(realtime.counts.refusals).toEqual({ INVALID_KEY: 2, RATE_LIMITED: 1, UNSUPPORTED: 1, INVALID_CHANNEL: 1 })
  expect(records).toEqual([])
})

test('[X2] allowed accesses are recorded on request', async () => {
  for (const options of [{}, { authorize: undefined }]) {
    const { as, records } = await served({ ...options, auditAllowed: true })
    const client = await as('ann')
    await client.request('storage:set', { key: 'todos:1', value: 'secret-value' })
    await client.request('storage:subscribe', { keys: [{ key: 'todos:1' }, { key: 'todos:2' }] })
    await client.request('storage:subscribe', { prefix: 'todos:' })
    await client.request('event:subscribe', { channel: 'chat:*' })
    expect(records).toEqual([
      { ...ann, action: 'connect' },
      { ...ann, action: 'state:write', target: { key: 'todos:1' } },
      { ...ann, action: 'state:read', target: { key: 'todos:1' } },
      { ...ann, action: 'state:read', target: { key: 'todos:2' } },
      { ...ann, action: 'state:read', target: { prefix: 'todos:' } },
      { ...ann, action: 'event:subscribe', target: { pattern: 'chat:*' } },
    ])
    expect(JSON.stringify(records)).not.toMatch(/secret|token/)
  }
})

test('[X2] revoked rights are recorded, with the ended subscriptions', async () => {
  const { as, records, realtime } = await served()
  const client = await as('ann')
  await client.request('storage:subscribe', { keys: [{ key: 'todos:1' }, { key: 'notes:1' }] })
  await realtime.revoke({ user: 'ann', pattern: 'todos:*' })
  await realtime.revoke({ user: 'bob' })
  expect(records).toEqual([
    { user: 'ann', address: '', action: 'revoke', target: { pattern: 'todos:*' } },
    { ...ann, action: 'state:read', target: { key: 'todos:1' }, code: 'FORBIDDEN' },
    { user: 'bob', address: '', action: 'revoke', target: { pattern: '*' } },
  ])
})

test('[X5] [X1] connections closed for flooding or an ended sign-in are recorded', async () => {
  const flooded = await served({ limits: { requestsPerSecond: 2 } })
  const flooder = await flooded.as('ann')
  const gone = new Promise((resolve) => flooder.socket.once('disconnect', resolve))
  for (let count = 0; count < 20; count += 1) flooder.socket.emit('storage:get', { key: 'todos:1' })
  await gone
  expect(flooded.records.filter(({ action }) => action === 'close')[0]).toEqual({ ...ann, action: 'close', code: 'RATE_LIMITED' })

  const short = await served({ authenticate: () => ({ id: 'ann', expiresAt: Date.now() + 200 }) })
  await short.as('ann')
  await eventually(() => expect(short.records).toEqual([{ ...ann, action: 'close', code: 'UNAUTHENTICATED' }]))
})

test('[X4] a listener that throws stops nothing, and its error is reported', async () => {
  const errors: unknown[] = []
  const broken = new RealtimeError('UNAVAILABLE')
  const { as } = await served({
    onAudit: () => {
      throw broken
    },
    onError: (error, { stage }) => errors.push([stage, error]),
  })
  const client = await as('ann')
  expect(await client.send('storage:get', { key: 'other' })).toMatchObject({ error: { code: 'FORBIDDEN' } })
  expect(errors).toEqual([['listener', broken]])
})

test.each([
  ['production', undefined, 1],
  ['production', authorize, 0],
  ['development', undefined, 0],
])('[X2] in %s with authorize %o a server warns %i times about open access', async (environment, given, times) => {
  vi.stubEnv('NODE_ENV', environment)
  onTestFinished(() => void vi.unstubAllEnvs())
  const warnings: string[] = []
  const { as } = await served({ authorize: given, onWarning: (message) => warnings.push(message) })
  await as('ann')
  expect(warnings.filter((warning) => warning.includes('No `authorize` configured'))).toHaveLength(times)
})
