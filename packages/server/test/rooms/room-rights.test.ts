import { roomKey } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { rules, type AuthorizeRequest } from '../../src/index.ts'
import { codeOf, serve, type PlainClient } from '../serve.ts'
import { dataOf } from './messages-of.ts'

async function served(options: Parameters<typeof serve>[0] = {}) {
  const server = await serve({ authenticate: ({ token = '' }) => ({ id: token }), ...options })
  onTestFinished(() => server.close())
  return { ...server, rooms: server.realtime.rooms, as: (token: string) => server.connect({ auth: { token, clientId: token } }) }
}

const targetsOf = (client: PlainClient): unknown[] => client.of('server:revoked').map((payload) => (payload as { target: unknown }).target)

test('[X2] a client joins and leaves rooms with the right room:join', async () => {
  const { as, rooms } = await served({ authorize: rules({ rooms: { 'proj:*': { join: true } } }) })
  const ada = await as('ada')
  await ada.request('room:join', { room: 'proj:1' })
  expect(codeOf(await ada.send('room:join', { room: 'other' }))).toBe('FORBIDDEN')
  expect(codeOf(await ada.send('room:join', { room: 'proj' }))).toBe('FORBIDDEN')
  await rooms.broadcast('proj:1', 'n', 1)
  await ada.request('room:leave', { room: 'proj:1' })
  await rooms.broadcast('proj:1', 'n', 2)
  await rooms.join({ user: 'ada' }, 'other')
  await rooms.broadcast('other', 'n', 3)
  await eventually(() => expect(dataOf(ada)).toEqual([1, 3]))
})

test('[X2] a revocation ends memberships of both kinds, with a notice each', async () => {
  const forbidden = new Set<string>()
  const { as, rooms, realtime } = await served({
    authorize: ({ target }: AuthorizeRequest) => !('room' in target && forbidden.has(target.room)),
  })
  const [ada, bob] = await Promise.all([as('ada'), as('bob')])
  for (const room of ['a:1', 'b']) await ada.request('room:join', { room })
  await rooms.join({ all: true }, ['a:1', 'a:2', 'b'])
  forbidden.add('a:1')
  await realtime.revoke({ user: 'ada', pattern: 'a:*' })
  await eventually(() => expect(targetsOf(ada)).toHaveLength(2))
  expect(targetsOf(ada)).toEqual(expect.arrayContaining(['a:1', 'a:2'].map((room) => ({ room, joined: true }))))
  expect(codeOf(await ada.send('room:join', { room: 'a:1' }))).toBe('FORBIDDEN')
  const counts = await Promise.all(['a:1', 'a:2', 'b'].map(async (room) => (await rooms.connections(room)).count))
  expect(counts).toEqual([1, 1, 2])
  expect(targetsOf(bob)).toEqual([])
})

test('[X2] what server code gave is kept where authorize refuses it, as after a gap', async () => {
  let allowed = true
  const { as, rooms, realtime } = await served({ authorize: () => allowed })
  const ada = await as('ada')
  await ada.request('room:join', { room: 'mine' })
  await rooms.join({ user: 'ada' }, 'given')
  await ada.request('event:subscribe', { channel: 'c:*' })
  allowed = false
  // A revocation of a part of the pattern authorizes all that the client requested again.
  await realtime.revoke({ user: 'ada', pattern: 'c:1' })
  await eventually(() => expect(targetsOf(ada)).toEqual(expect.arrayContaining([{ room: 'mine', joined: true }, { channel: 'c:*' }])))
  expect((await rooms.list()).results).toEqual([{ room: 'given', connections: 1 }])
})

test('[X2] [R3] revoke({ user, room }) ends what belongs to the room, nothing else', async () => {
  const { as, realtime, rooms } = await served()
  const ada = await as('ada')
  const names = [roomKey('proj', 'title'), roomKey('proj:1', 'title'), roomKey('proj', '1:title'), 'proj', 'proj:title']
  await ada.request('storage:subscribe', { keys: names.map((key) => ({ key })) })
  for (const channel of [...names, roomKey('proj', '*')]) await ada.request('event:subscribe', { channel })
  for (const room of ['proj', 'proj:1']) {
    await ada.request('room:join', { room })
    await ada.request('presence:join', { room })
    await ada.request('presence:subscribe', { room })
  }
  await realtime.revoke({ user: 'ada', room: 'proj' })
  const ended = names.filter((name) => name.startsWith('room:1:proj:'))
  const expected = [
    ...ended.map((key) => ({ key })),
    ...[...ended, roomKey('proj', '*')].map((channel) => ({ channel })),
    ...[{ room: 'proj' }, { room: 'proj', membership: true }, { room: 'proj', joined: true }],
  ]
  await eventually(() => expect(targetsOf(ada)).toHaveLength(expected.length))
  expect(targetsOf(ada)).toEqual(expect.arrayContaining(expected))
  expect((await rooms.list()).results).toEqual([{ room: 'proj:1', connections: 1 }])
})

test('[X2] rules of a room decide about its keys, channels and presence', async () => {
  const { as } = await served({
    authorize: rules({
      state: { '*': { read: true } },
      events: { '*': { publish: true } },
      rooms: {
        'user:{id}': { join: true, presence: { join: true, read: true }, state: { '*': { read: true, write: true } } },
        'proj:*': { state: { title: { write: true }, '*': { read: true } }, events: { '*': { subscribe: true } } },
      },
    }),
  })
  const ada = await as('ada')
  const allowed = async (name: string, payload: object): Promise<boolean> => (await ada.send(name, payload)).ok
  const set = (key: string) => allowed('storage:set', { key, value: 1 })
  expect(await set(roomKey('user:ada', 'x'))).toBe(true)
  expect(await set(roomKey('user:bob', 'x'))).toBe(false)
  expect(await set(roomKey('proj:1', 'title'))).toBe(true)
  expect(await set(roomKey('proj:1', 'other'))).toBe(false)
  expect(await allowed('storage:get', { key: roomKey('proj:1', 'title') })).toBe(false)
  expect(await allowed('storage:get', { key: roomKey('proj:1', 'other') })).toBe(true)
  expect(await allowed('storage:get', { key: roomKey('elsewhere', 'x') })).toBe(true)
  expect(await allowed('event:subscribe', { channel: roomKey('proj:1', '*') })).toBe(true)
  expect(await allowed('event:publish', { channel: roomKey('proj:1', 'x'), data: 1 })).toBe(false)
  expect(await allowed('event:publish', { channel: 'x', data: 1 })).toBe(true)
  expect(await allowed('presence:join', { room: 'user:ada' })).toBe(true)
  expect(await allowed('presence:join', { room: 'proj:1' })).toBe(false)
  expect(await allowed('room:join', { room: 'user:ada' })).toBe(true)
  // Rows of rooms below the prefix: each key is authorized alone.
  expect(await ada.request('storage:subscribe', { prefix: 'room:' })).toMatchObject({ entries: [{ key: roomKey('user:ada', 'x') }] })
})

test('[X5] joins of clients count towards maxSubscriptions, of server code not', async () => {
  const { as, rooms } = await served({ limits: { maxSubscriptions: 1 } })
  const ada = await as('ada')
  await rooms.join({ all: true }, ['a', 'b', 'c'])
  await ada.request('room:join', { room: 'd' })
  expect(codeOf(await ada.send('room:join', { room: 'e' }))).toBe('TOO_MANY_SUBSCRIPTIONS')
  await ada.request('room:leave', { room: 'd' })
  await ada.request('room:join', { room: 'e' })
  await rooms.leave({ all: true }, 'e')
  await ada.request('room:join', { room: 'f' })
})

test('[X4] malformed requests of rooms are refused with a code', async () => {
  const { as } = await served()
  const ada = await as('ada')
  for (const name of ['room:join', 'room:leave']) {
    for (const payload of [
      undefined,
      null,
      1,
      'a',
      [],
      {},
      { room: 1 },
      { room: '' },
      { room: '$room:a' },
      { room: 'a*' },
      { room: '__proto__:' },
    ]) {
      expect(codeOf(await ada.send(name, payload))).toMatch(/^INVALID_(MESSAGE|ROOM)$/)
    }
  }
})

test('[X2] [R3] the row of a room decides about locks; a revocation ends them', async () => {
  const locks = { '*': { read: true, acquire: true }, 'admin:*': { read: true } }
  const { as, realtime } = await served({ authorize: rules({ rooms: { 'proj:*': { join: true, locks } } }) })
  const ada = await as('ada')
  const [title, other] = [roomKey('proj:1', 'title'), roomKey('proj:2', 'title')]
  for (const key of [title, other]) {
    await ada.request('lock:acquire', { key, request: 'r' })
    await ada.request('lock:subscribe', { key })
  }
  for (const key of [roomKey('proj:1', 'admin:1'), roomKey('proj', 'title'), roomKey('other', 'title'), 'title'])
    expect(codeOf(await ada.send('lock:acquire', { key, request: 'r' }))).toBe('FORBIDDEN')
  await realtime.revoke({ user: 'ada', room: 'proj:1' })
  await eventually(() => expect(targetsOf(ada)).toHaveLength(2))
  expect(targetsOf(ada)).toEqual(expect.arrayContaining([{ lock: title }, { lock: title, held: true }]))
  expect(codeOf(await ada.send('lock:release', { key: other, force: true }))).toBe('FORBIDDEN')
})
