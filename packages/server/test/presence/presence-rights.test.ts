import type { JsonValue } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { rules, type AuthorizeRequest } from '../../src/index.ts'
import { codeOf, serve, type PlainClient } from '../serve.ts'
import { observeRoom } from './room-observer.ts'

async function served(options: Parameters<typeof serve>[0]) {
  const server = await serve({ authenticate: ({ token = '' }) => ({ id: token }), ...options })
  onTestFinished(() => server.close())
  return { ...server, as: (token: string, clientId?: string) => server.connect({ auth: { token, clientId } }) }
}

const revokedOf = (client: PlainClient): unknown[] => client.of('server:revoked').map((payload) => (payload as { target: unknown }).target)

test('[X2] presence:read and presence:join are authorized by room, each alone', async () => {
  const { as, realtime } = await served({
    authorize: rules({ presence: { 'doc:*': { join: true }, 'doc:open': { join: true, read: true }, 'user:{id}': { read: true } } }),
  })
  const ada = await as('ada')
  await ada.request('presence:join', { room: 'doc:1' })
  expect(codeOf(await ada.send('presence:subscribe', { room: 'doc:1' }))).toBe('FORBIDDEN')
  expect(codeOf(await ada.send('presence:subscribe', { room: 'doc:1', count: true }))).toBe('FORBIDDEN')
  await ada.request('presence:subscribe', { room: 'doc:open' })
  await ada.request('presence:subscribe', { room: 'user:ada' })
  expect(codeOf(await ada.send('presence:join', { room: 'user:ada' }))).toBe('FORBIDDEN')
  expect(codeOf(await ada.send('presence:subscribe', { room: 'user:bob' }))).toBe('FORBIDDEN')
  expect(codeOf(await ada.send('presence:update', { room: 'other', info: 1 }))).toBe('FORBIDDEN')
  expect(await realtime.presence.members('doc:1')).toMatchObject([{ user: 'ada' }])
})

test('[X2] revoked rights end memberships and subscriptions, with a notice each', async () => {
  const forbidden = new Set<string>()
  const { as, realtime } = await served({ authorize: ({ action, user }: AuthorizeRequest) => !forbidden.has(`${user?.id} ${action}`) })
  const [ada, bob] = [await as('ada', 'a'), await as('bob')]
  const observer = await observeRoom(bob, 'doc:1')
  const { id } = await ada.request('presence:join', { room: 'doc:1' })
  for (const count of [undefined, true] as const) await ada.request('presence:subscribe', { room: 'doc:1', ...(count && { count }) })
  forbidden.add('ada presence:join').add('ada presence:read')
  await realtime.revoke({ user: 'ada', pattern: 'doc:*' })
  await eventually(() => expect(observer.left()).toEqual([id]))
  expect(revokedOf(ada)).toEqual([{ room: 'doc:1' }, { room: 'doc:1', membership: true }])
  const before = ada.received.length
  await bob.request('presence:join', { room: 'doc:1' })
  await eventually(() => expect(observer.members().size).toBe(1))
  await ada.request('presence:cursor', { room: 'doc:1', data: 1 })
  expect(ada.received).toHaveLength(before)
  expect(codeOf(await ada.send('presence:join', { room: 'doc:1' }))).toBe('FORBIDDEN')
  expect(revokedOf(bob)).toEqual([])
})

test('[X2] a right that ends while the join is under way leaves no member', async () => {
  let answer: ((allow: boolean) => void) | undefined
  const { as, realtime } = await served({ authorize: () => new Promise<boolean>((resolve) => (answer = resolve)) })
  const ada = await as('ada')
  const joining = ada.send('presence:join', { room: 'doc:1' })
  const first = await eventually(() => answer ?? Promise.reject(new Error('not authorized yet')))
  await realtime.revoke({ user: 'ada' })
  first(true)
  await eventually(() => expect(answer).not.toBe(first))
  answer?.(false)
  expect(codeOf(await joining)).toBe('FORBIDDEN')
  expect(await realtime.presence.members('doc:1')).toEqual([])
})

test('[X5] info over maxInfoBytes is TOO_LARGE, updates past the rate RATE_LIMITED', async () => {
  const { as } = await served({ presence: { maxInfoBytes: 10, updatesPerSecond: 4 } })
  const ada = await as('ada')
  expect(codeOf(await ada.send('presence:join', { room: 'doc:1', info: '123456789' }))).toBe('TOO_LARGE')
  await ada.request('presence:join', { room: 'doc:1', info: '12345678' })
  expect(codeOf(await ada.send('presence:cursor', { room: 'doc:1', data: '123456789' }))).toBe('TOO_LARGE')
  await ada.request('presence:update', { room: 'doc:1', info: 1 })
  const replies = await Promise.all([1, 2, 3].map((info) => ada.send('presence:update', { room: 'doc:1', info })))
  expect(replies.some((reply) => !reply.ok && reply.error.code === 'RATE_LIMITED' && reply.error.retryable)).toBe(true)
})

test('[X5] memberships and subscriptions count towards maxSubscriptions', async () => {
  const { as } = await served({ limits: { maxSubscriptions: 2 } })
  const ada = await as('ada')
  await ada.request('presence:join', { room: 'doc:1' })
  await ada.request('presence:subscribe', { room: 'doc:1' })
  for (const message of ['presence:join', 'presence:subscribe']) {
    expect(codeOf(await ada.send(message, { room: 'doc:2' }))).toBe('TOO_MANY_SUBSCRIPTIONS')
  }
  await ada.request('presence:leave', { room: 'doc:1' })
  await ada.request('presence:join', { room: 'doc:2' })
})

test('[X6] info that does not match the schema of its room is refused with the issues', async () => {
  const { as, realtime } = await served({ schema: { presence: { 'doc:*': v.object({ name: v.string() }) } } })
  const ada = await as('ada')
  const bad: JsonValue[] = [1, { name: 2 }, null]
  for (const info of bad) expect(codeOf(await ada.send('presence:join', { room: 'doc:1', info }))).toBe('INVALID_VALUE')
  expect(codeOf(await ada.send('presence:join', { room: 'doc:1' }))).toBe('INVALID_VALUE')
  await ada.request('presence:join', { room: 'doc:1', info: { name: 'Ada' } })
  expect(await ada.send('presence:update', { room: 'doc:1', info: { name: 3 } })).toMatchObject({
    error: { code: 'INVALID_VALUE', issues: [{ path: 'name' }] },
  })
  expect(await realtime.presence.members('doc:1')).toMatchObject([{ info: { name: 'Ada' } }])
  await ada.request('presence:join', { room: 'free', info: 1 })
})
