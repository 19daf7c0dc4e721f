import { eventually } from '@tutti/test-kit'
import * as v from 'valibot'
import { expect, onTestFinished, test } from 'vitest'
import { codeOf, serve, type PlainClient } from '../serve.ts'
import { dataOf, messagesOf } from './messages-of.ts'

async function served(options: Parameters<typeof serve>[0] = {}) {
  const server = await serve({ authenticate: ({ token = '' }) => ({ id: token }), ...options })
  onTestFinished(() => server.close())
  const { rooms } = server.realtime
  return { ...server, rooms, as: (token: string, clientId?: string) => server.connect({ auth: { token, clientId } }) }
}

const idOf = ({ socket }: PlainClient): string => String(socket.id)

test('[R1] joins, leaves and moves by id, user, room and all, with exceptions', async () => {
  const { as, rooms, realtime } = await served()
  const [ada, twin, bob, eve] = await Promise.all([as('ada'), as('ada'), as('bob'), as('eve')])
  const inRoom = async (room: string): Promise<string[]> => {
    const { results, count } = await rooms.connections(room)
    expect(count).toBe(results.length)
    return results.map(({ id }) => id).toSorted()
  }
  const ids = (...clients: PlainClient[]): string[] => clients.map(idOf).toSorted()
  expect(await rooms.join({ user: 'ada' }, ['a', 'b'])).toEqual({
    results: [{ instance: expect.any(String), connections: 2 }],
    missing: [],
  })
  expect(await inRoom('a')).toEqual(ids(ada, twin))
  await rooms.join({ room: 'a', except: { connection: idOf(twin) } }, 'c')
  expect(await inRoom('c')).toEqual(ids(ada))
  await rooms.join({ all: true, except: [{ user: 'ada' }, { connection: [idOf(eve)] }] }, 'd')
  expect(await inRoom('d')).toEqual(ids(bob))
  await rooms.join({ connection: [idOf(bob), idOf(eve), 'unknown', '$channel:x'] }, 'c')
  expect(await inRoom('c')).toEqual(ids(ada, bob, eve))
  await rooms.leave({ room: 'c', except: { room: 'd' } }, ['c', 'none'])
  expect(await inRoom('c')).toEqual(ids(bob))
  await rooms.move({ room: 'a' }, ['a', 'b'], ['b', 'e'])
  expect([await inRoom('a'), await inRoom('b'), await inRoom('e')]).toEqual([[], ids(ada, twin), ids(ada, twin)])
  expect((await rooms.of(idOf(bob))).results.toSorted()).toEqual(['c', 'd'])
  expect((await rooms.list()).results).toEqual(
    expect.arrayContaining([
      { room: 'b', connections: 2 },
      { room: 'c', connections: 1 },
    ]),
  )
  expect(await rooms.list('e')).toEqual({ results: [{ room: 'e', connections: 2 }], count: 1, missing: [] })
  const found = await rooms.connections('e')
  expect(found.results).toContainEqual({ id: idOf(ada), user: 'ada', instance: expect.any(String) })
  twin.socket.disconnect()
  await eventually(async () => expect(await inRoom('b')).toEqual(ids(ada)))
  expect(realtime.instanceId).toBeTruthy()
})

test('[R1] messages reach rooms, users, connections and all, with exceptions', async () => {
  const { as, rooms, realtime } = await served()
  const [ada, twin, bob] = await Promise.all([as('ada'), as('ada'), as('bob')])
  await rooms.join({ user: 'ada' }, 'a')
  await rooms.broadcast('a', 'saved', { by: 'Ada' })
  await eventually(() => expect(messagesOf(ada)).toEqual([{ room: 'a', name: 'saved', data: { by: 'Ada' } }]))
  await eventually(() => expect(messagesOf(twin)).toEqual(messagesOf(ada)))
  await realtime.broadcast('notice', 1, { except: { user: 'ada' } })
  await eventually(() => expect(messagesOf(bob)).toEqual([{ name: 'notice', data: 1 }]))
  await realtime.user('ada').send('n', 2, { except: [{ connection: idOf(twin) }] })
  await realtime.connection(idOf(bob)).send('n', 3)
  await realtime.broadcast('n', 4)
  for (const client of [ada, twin, bob]) await eventually(() => expect(dataOf(client).at(-1)).toBe(4))
  expect([dataOf(ada).slice(1), dataOf(twin).slice(1), dataOf(bob)]).toEqual([[2, 4], [4], [1, 3, 4]])
})

test('[R2] a broadcast to several rooms reaches each connection once, encoded once', async () => {
  const { as, rooms } = await served()
  const clients = await Promise.all([as('ada'), as('bob'), as('eve')])
  const [ada, bob, eve] = clients
  await rooms.join({ user: ['ada', 'bob'] }, ['a', 'b', 'c'])
  await rooms.join({ user: 'eve' }, 'c')
  expect(await rooms.broadcast(['a', 'b', 'c', 'a'], 'n', 1)).toMatchObject({ results: [{ connections: 3 }] })
  await rooms.broadcast(['a', 'b'], 'n', 2, { except: { user: 'bob' } })
  await rooms.broadcast(['c'], 'n', 'last')
  for (const client of clients) await eventually(() => expect(dataOf(client)).toContain('last'))
  expect([ada, bob, eve].map((client) => client && dataOf(client))).toEqual([
    [1, 2, 'last'],
    [1, 'last'],
    [1, 'last'],
  ])
  expect(ada && messagesOf(ada)[0]).toEqual({ name: 'n', data: 1 })
})

test('[R1] disconnect closes the connections after what was sent to them', async () => {
  const { as, rooms, realtime } = await served()
  const [ada, bob] = await Promise.all([as('ada'), as('bob')])
  const closed = new Promise((resolve) => ada.socket.once('disconnect', resolve))
  await Promise.all([realtime.user('ada').send('bye', 1), rooms.disconnect({ user: 'ada' })])
  await closed
  expect(dataOf(ada)).toEqual([1])
  expect(bob.socket.connected).toBe(true)
  expect(await rooms.disconnect({ all: true, except: { user: 'bob' } })).toMatchObject({ results: [{ connections: 0 }] })
})

test('[R1] an empty user id is refused, and so is anything else that is no target', async () => {
  const { rooms, realtime } = await served()
  const invalid = expect.objectContaining({ code: 'INVALID_OPTIONS' })
  const targets: unknown[] = [
    { user: '' },
    { user: ['a', ''] },
    {},
    { all: false },
    { user: 'a', room: 'b' },
    'a',
    null,
    { user: 1 },
    { toString: 'a' },
  ]
  for (const target of targets) await expect(rooms.join(target as never, 'a')).rejects.toEqual(invalid)
  await expect(rooms.join({ user: 'a', except: { user: '' } }, 'a')).rejects.toEqual(invalid)
  for (const call of [realtime.user, realtime.connection]) expect(() => call('')).toThrow(invalid)
  await expect(rooms.join({ user: 'a' }, 'a*')).rejects.toMatchObject({ code: 'INVALID_ROOM' })
  await expect(rooms.connections('$x')).rejects.toMatchObject({ code: 'INVALID_ROOM' })
  await expect(rooms.broadcast('a', 'n', 1, { unknown: 1 } as never)).rejects.toEqual(invalid)
  await expect(rooms.broadcast('a', 'n', 1, { timeoutMs: 0 })).rejects.toEqual(invalid)
  for (const name of ['', '$n', 1]) await expect(realtime.broadcast(name as never, 1)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  await expect(realtime.broadcast('n', Number.NaN)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
})

test('[R1] results are bounded, their number is not', async () => {
  const { as, rooms } = await served({ rooms: { maxResults: 2 } })
  await Promise.all([as('ada'), as('bob'), as('eve')])
  await rooms.join({ all: true }, ['a', 'b', 'c'])
  expect(await rooms.connections('a')).toMatchObject({ results: [{}, {}], count: 3 })
  expect((await rooms.list()).results).toHaveLength(2)
  expect((await rooms.list()).count).toBe(3)
})

test('[R1] confirm: false resolves without results', async () => {
  const { as, rooms } = await served()
  const ada = await as('ada')
  expect(await rooms.join({ user: 'ada' }, 'a', { confirm: false })).toEqual({ results: [], missing: [] })
  expect(await rooms.broadcast('a', 'n', 1, { confirm: false })).toEqual({ results: [], missing: [] })
  await eventually(() => expect(dataOf(ada)).toEqual([1]))
})

test('[R1] where rooms are off, calls and messages are UNSUPPORTED', async () => {
  const { as, rooms, realtime } = await served({ rooms: false })
  const ada = await as('ada')
  const off = { code: 'UNSUPPORTED' }
  expect(codeOf(await ada.send('room:join', { room: 'a' }))).toBe('UNSUPPORTED')
  for (const call of [rooms.list(), rooms.join({ user: 'a' }, 'a'), realtime.broadcast('n', 1), realtime.user('a').send('n', 1)]) {
    await expect(call).rejects.toMatchObject(off)
  }
  await ada.request('presence:join', { room: 'a' })
})

test('[R1] after close every call rejects with CLOSED', async () => {
  const { rooms, realtime } = await served()
  await realtime.close()
  await expect(rooms.list()).rejects.toMatchObject({ code: 'CLOSED' })
})

test('[R1] members of presence are in the room; removing a connection ends both', async () => {
  const { as, rooms, realtime } = await served()
  const ada = await as('ada', 'a1')
  await ada.request('presence:join', { room: 'a' })
  await ada.request('room:join', { room: 'a' })
  expect((await rooms.connections('a')).count).toBe(1)
  await ada.request('presence:leave', { room: 'a' })
  expect((await rooms.connections('a')).count).toBe(1)
  await ada.request('room:leave', { room: 'a' })
  expect((await rooms.connections('a')).count).toBe(0)
  await ada.request('presence:join', { room: 'a' })
  await ada.request('room:join', { room: 'a' })
  await rooms.leave({ user: 'ada' }, 'a')
  expect(await realtime.presence.members('a')).toEqual([])
  await eventually(() => expect(ada.of('server:revoked')).toHaveLength(2))
  expect(ada.of('server:revoked')).toMatchObject([{ target: { room: 'a', joined: true } }, { target: { room: 'a', membership: true } }])
  await realtime.broadcast('last', 1)
  await eventually(() => expect(dataOf(ada)).toEqual([1]))
})

test('[X6] messages that do not match the schema of their name or room are refused', async () => {
  const schema = { messages: { n: v.number() }, rooms: { 'a:*': { messages: { n: v.string() } } } }
  const { rooms, realtime } = await served({ schema })
  const refused = { code: 'INVALID_VALUE' }
  await expect(realtime.broadcast('n', 'x')).rejects.toMatchObject(refused)
  await expect(rooms.broadcast('a:1', 'n', 1)).rejects.toMatchObject(refused)
  await rooms.broadcast('a:1', 'n', 'x')
  await rooms.broadcast(['a:1', 'a:2'], 'n', 1)
  await realtime.user('ada').send('other', null)
})
