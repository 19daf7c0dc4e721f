import { createMemoryCoordination } from '@tutti/coordination'
import type { PresenceChange } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { codeOf, serve, type PlainClient, type Served } from '../serve.ts'

const served = async (options: Parameters<typeof serve>[0] = {}): Promise<Served> => {
  const server = await serve(options)
  onTestFinished(() => server.close())
  return server
}

const changesOf = (client: PlainClient): PresenceChange[] => client.of('presence:changed').map((payload) => payload as PresenceChange)

test('[P1] observers receive joins, updates and leaves, members as well as others', async () => {
  const { connect } = await served()
  const [ada, bob, observer] = await Promise.all([connect({ auth: { clientId: 'a' } }), connect(), connect()])
  const { id } = await ada.request('presence:join', { room: 'doc:1', info: { name: 'Ada' } })
  expect(await ada.request('presence:subscribe', { room: 'doc:1' })).toEqual({
    ok: true,
    members: [{ id, user: '', info: { name: 'Ada' } }],
    count: 1,
  })
  expect(await observer.request('presence:subscribe', { room: 'doc:1' })).toMatchObject({ count: 1 })
  const joined = await bob.request('presence:join', { room: 'doc:1' })
  await eventually(() => {
    for (const client of [ada, observer]) {
      expect(changesOf(client)).toEqual([{ room: 'doc:1', joined: [{ id: joined.id, user: '', info: null }], count: 2 }])
    }
  })
  await bob.request('presence:update', { room: 'doc:1', info: 'typing' })
  await eventually(() => expect(changesOf(observer).at(-1)).toMatchObject({ updated: [{ id: joined.id, info: 'typing' }] }))
  await bob.request('presence:leave', { room: 'doc:1' })
  await eventually(() => expect(changesOf(observer).at(-1)).toEqual({ room: 'doc:1', left: [joined.id], count: 1 }))
  expect(bob.of('presence:changed')).toEqual([])
})

test('[P1] after presence:unsubscribe only the membership continues', async () => {
  const { connect, realtime } = await served()
  const [ada, bob] = await Promise.all([connect(), connect()])
  await ada.request('presence:join', { room: 'doc:1' })
  await ada.request('presence:subscribe', { room: 'doc:1' })
  await ada.request('presence:unsubscribe', { room: 'doc:1' })
  await bob.request('presence:join', { room: 'doc:1' })
  expect(await realtime.presence.count('doc:1')).toBe(2)
  await ada.request('presence:subscribe', { room: 'doc:2' })
  await bob.request('presence:join', { room: 'doc:2' })
  await eventually(() => expect(changesOf(ada)).toMatchObject([{ room: 'doc:2' }]))
})

test('[P1] a join that is sent behind a leave makes the connection a member again', async () => {
  const { connect, realtime } = await served()
  const ada = await connect()
  const names = ['join', 'leave', 'join', 'leave', 'leave', 'join'] as const
  const replies = await Promise.all(names.map((name) => ada.send(`presence:${name}`, { room: 'doc:1' })))
  expect(replies.map((reply) => (reply.ok ? 'ok' : reply.error.code))).toEqual(names.map(() => 'ok'))
  expect(await realtime.presence.count('doc:1')).toBe(1)
  await ada.request('presence:leave', { room: 'doc:1' })
  expect(await realtime.presence.count('doc:1')).toBe(0)
})

test('[P2] a client that reconnects in time is the same member, without a leave', async () => {
  const { connect } = await served()
  const observer = await connect()
  await observer.request('presence:subscribe', { room: 'doc:1' })
  const first = await connect({ auth: { clientId: 'a' } })
  const { id } = await first.request('presence:join', { room: 'doc:1', info: 1 })
  first.socket.disconnect()
  const second = await connect({ auth: { clientId: 'a' } })
  expect(await second.request('presence:join', { room: 'doc:1', info: 1 })).toMatchObject({ id })
  await second.request('presence:update', { room: 'doc:1', info: 2 })
  await eventually(() => expect(changesOf(observer).at(-1)).toMatchObject({ updated: [{ id, info: 2 }] }))
  expect(changesOf(observer).flatMap(({ left = [] }) => left)).toEqual([])
})

test('[P2] a join of an earlier connection that arrives late is CLOSED', async () => {
  const { connect } = await served()
  const [first, second] = [await connect({ auth: { clientId: 'a' } }), await connect({ auth: { clientId: 'a' } })]
  const { id } = await second.request('presence:join', { room: 'doc:1', info: 2, sequence: 2 })
  expect(codeOf(await first.send('presence:join', { room: 'doc:1', info: 1, sequence: 1 }))).toBe('CLOSED')
  first.socket.disconnect()
  await second.request('presence:update', { room: 'doc:1', info: 3 })
  expect(await second.request('presence:subscribe', { room: 'doc:1' })).toMatchObject({ members: [{ id, info: 3 }] })
})

test('[P2] without a clientId a member leaves at once, otherwise after graceMs', async () => {
  const { connect } = await served({ presence: { graceMs: 50 } })
  const observer = await connect()
  await observer.request('presence:subscribe', { room: 'doc:1' })
  for (const auth of [{}, { clientId: 'a' }]) {
    const client = await connect({ auth })
    const { id } = await client.request('presence:join', { room: 'doc:1' })
    client.socket.disconnect()
    await eventually(() => expect(changesOf(observer).at(-1)).toMatchObject({ left: [id], count: 0 }))
  }
})

test('[P5] changes within a tick are one notice with the newest state of each member', async () => {
  const { connect } = await served({ presence: { tickMs: 200 } })
  const [ada, bob, observer] = await Promise.all([connect(), connect(), connect()])
  await observer.request('presence:subscribe', { room: 'doc:1' })
  const first = await ada.request('presence:join', { room: 'doc:1' })
  await eventually(() => expect(changesOf(observer)).toHaveLength(1))
  const second = await bob.request('presence:join', { room: 'doc:1', info: 0 })
  for (const info of [1, 2, 3]) {
    await Promise.all([ada, bob].map((client) => client.request('presence:update', { room: 'doc:1', info })))
  }
  await eventually(() => expect(changesOf(observer)).toHaveLength(2))
  expect(changesOf(observer)[1]).toEqual({
    room: 'doc:1',
    joined: [{ id: second.id, user: '', info: 3 }],
    updated: [{ id: first.id, user: '', info: 3 }],
    count: 2,
  })
})

test('[P5] cursors: the newest of each member, all of them for a new observer', async () => {
  const { connect } = await served({ presence: { tickMs: 200 } })
  const [ada, bob, observer] = await Promise.all([connect(), connect(), connect()])
  const ids: string[] = []
  for (const client of [ada, bob]) ids.push((await client.request('presence:join', { room: 'doc:1' })).id)
  await observer.request('presence:subscribe', { room: 'doc:1' })
  for (const x of [1, 2, 3]) for (const client of [ada, bob]) await client.request('presence:cursor', { room: 'doc:1', data: { x } })
  await eventually(() => expect(observer.of('presence:cursors').length).toBeGreaterThan(0))
  await eventually(() => expect(Object.assign({}, ...cursorsOf(observer))).toEqual({ [ids[0] ?? '']: { x: 3 }, [ids[1] ?? '']: { x: 3 } }))
  expect(cursorsOf(observer).length).toBeLessThanOrEqual(2)
  const late = await connect()
  await late.request('presence:subscribe', { room: 'doc:1' })
  await eventually(() => expect(cursorsOf(late)).toEqual([{ [ids[0] ?? '']: { x: 3 }, [ids[1] ?? '']: { x: 3 } }]))
  const stranger = await connect()
  await stranger.request('presence:cursor', { room: 'doc:1', data: 1 })
  await bob.request('presence:cursor', { room: 'doc:1', data: null })
  await eventually(() => expect(cursorsOf(late).at(-1)).toEqual({ [ids[1] ?? '']: null }))
})

const cursorsOf = (client: PlainClient): object[] =>
  client.of('presence:cursors').map((payload) => (payload as { cursors: object }).cursors)

test('[P6] a full room refuses with ROOM_FULL, or counts without listing', async () => {
  const refusing = await served({ presence: { maxMembers: 1 } })
  const [first, second] = await Promise.all([refusing.connect(), refusing.connect()])
  await first.request('presence:join', { room: 'doc:1' })
  expect(codeOf(await second.send('presence:join', { room: 'doc:1' }))).toBe('ROOM_FULL')
  await first.request('presence:leave', { room: 'doc:1' })
  await second.request('presence:join', { room: 'doc:1' })

  const counting = await served({ presence: { maxMembers: 1, overflow: 'count' } })
  const clients = await Promise.all([counting.connect(), counting.connect(), counting.connect()])
  for (const client of clients) await client.request('presence:join', { room: 'doc:1' })
  expect(await clients[0].request('presence:subscribe', { room: 'doc:1' })).toMatchObject({ members: [{}], count: 3 })
})

test('[P6] with count only the number is received, at most once a second', async () => {
  const { connect } = await served()
  const [observer, member] = await Promise.all([connect(), connect()])
  expect(await observer.request('presence:subscribe', { room: 'stream', count: true })).toEqual({ ok: true, count: 0 })
  await member.request('presence:join', { room: 'stream' })
  await eventually(() => expect(observer.of('presence:count')).toEqual([{ room: 'stream', count: 1 }]))
  const before = performance.now()
  for (let round = 0; round < 3; round += 1) {
    await member.request('presence:leave', { room: 'stream' })
    await member.request('presence:join', { room: 'stream' })
  }
  await member.request('presence:leave', { room: 'stream' })
  await eventually(() =>
    expect(observer.of('presence:count')).toEqual([
      { room: 'stream', count: 1 },
      { room: 'stream', count: 0 },
    ]),
  )
  expect(performance.now() - before).toBeGreaterThan(500)
  expect(observer.of('presence:changed')).toEqual([])
})

test('[P6] a room with more than 500 members is sent in parts', async () => {
  const coordination = createMemoryCoordination()
  const { connect } = await served({ coordination })
  const joins = Array.from({ length: 600 }, (_, info) =>
    coordination.members('doc:1').join({ user: '', connectionId: `member-${info}` }, info),
  )
  await Promise.all(joins)
  const observer = await connect()
  const { members = [], count, settlingMs } = await observer.request('presence:subscribe', { room: 'doc:1' })
  expect([members.length, count, settlingMs]).toEqual([500, 600, 2_000])
  await eventually(() => expect(changesOf(observer)).toMatchObject([{ count: 600 }]))
  const rest = changesOf(observer).flatMap(({ joined = [] }) => joined)
  expect([...members, ...rest].map(({ info }) => info)).toEqual(Array.from({ length: 600 }, (_, info) => info))
})

test('[C5] close keeps members for graceMs and ends with no timer of presence', async () => {
  const server = await serve()
  const client = await server.connect({ auth: { clientId: 'a' } })
  await client.request('presence:join', { room: 'doc:1' })
  await client.request('presence:subscribe', { room: 'doc:1' })
  await server.close()
  await expect(server.realtime.presence.members('doc:1')).rejects.toMatchObject({ code: 'CLOSED' })
})

test('[P1] server code reads members, and receives openings and ends of rooms', async () => {
  const { connect, realtime } = await served()
  const events: string[] = []
  const stop = realtime.presence.onRoomOpen((room) => events.push(`open ${room}`))
  realtime.presence.onRoomEmpty((room) => events.push(`empty ${room}`))
  const [ada, bob] = await Promise.all([connect(), connect()])
  await ada.request('presence:join', { room: 'doc:1', info: 'Ada' })
  await bob.request('presence:join', { room: 'doc:1' })
  expect(await realtime.presence.members('doc:1')).toMatchObject([{ user: '', info: 'Ada' }, { info: null }])
  await ada.request('presence:leave', { room: 'doc:1' })
  bob.socket.disconnect()
  await eventually(() => expect(events).toEqual(['open doc:1', 'empty doc:1']))
  stop()
  await ada.request('presence:join', { room: 'doc:2' })
  expect(events).toHaveLength(2)
  await expect(realtime.presence.members('a*')).rejects.toMatchObject({ code: 'INVALID_ROOM' })
})

test('[P1] presence is announced; where it is off, messages are UNSUPPORTED', async () => {
  const on = await served()
  const client = await on.connect()
  await eventually(() => expect(client.of('server:hello')).toMatchObject([{ features: ['presence', 'room', 'lock'] }]))
  const off = await served({ presence: false, rooms: false, locks: false })
  const other = await off.connect()
  expect(codeOf(await other.send('presence:join', { room: 'doc:1' }))).toBe('UNSUPPORTED')
  await eventually(() => expect(other.of('server:hello')).toHaveLength(1))
  expect(other.of('server:hello')[0]).not.toHaveProperty('features')
  await expect(off.realtime.presence.count('doc:1')).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})
