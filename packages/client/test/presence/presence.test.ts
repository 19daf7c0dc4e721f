import { presence } from '@tutti/client/presence'
import { RealtimeError, toWireError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { connectedClient, failNext, startClient } from '../setup-client.ts'

const forbidden = toWireError(new RealtimeError('FORBIDDEN'))

test('[P1] shows the members of a room, the own member marked, without joining first', async () => {
  const { client, server } = await connectedClient()
  server.presence.change('doc:1', 'ada', { name: 'Ada' }, 'u1')
  const room = presence(client, 'doc:1')
  expect(room.current).toMatchObject({ members: [], count: 0, loading: true, joined: false })
  await server.flush()
  expect(room.current).toMatchObject({ count: 1, loading: false, joined: false, error: undefined })
  expect(room.current.members).toEqual([{ id: 'ada', user: 'u1', info: { name: 'Ada' }, isMe: false }])
  room.join({ name: 'Me' })
  await server.flush()
  expect(room.current.members).toMatchObject([{ id: 'ada' }, { id: 'm1', info: { name: 'Me' }, isMe: true }])
  expect(room.current).toMatchObject({ joined: true, count: 2 })
  server.presence.change('doc:1', 'ada', undefined)
  await server.flush()
  expect(room.current.members).toMatchObject([{ id: 'm1' }])
})

test('[P1] with info the room is joined first, so the first reply contains it', async () => {
  const { client, server } = await connectedClient()
  const room = presence(client, 'doc:1', { info: { name: 'Me' } })
  const shown: unknown[] = []
  room.subscribe(({ members, joined }) => shown.push([members.map(({ isMe }) => isMe), joined]))
  await server.flush()
  expect(server.log.map(({ name }) => name)).toEqual(['presence:join', 'presence:subscribe'])
  expect(shown).toEqual([
    [[], true],
    [[true], true],
  ])
})

test('[P2] all handles are one member: the last leave ends it', async () => {
  const { client, server } = await connectedClient()
  const first = presence(client, 'doc:1', { info: 1 })
  const second = presence(client, 'doc:1', { info: 2 })
  await server.flush()
  expect(server.logged('presence:join')).toEqual([{ room: 'doc:1', info: 2, sequence: 1 }])
  expect(first.current).toBe(second.current)
  first.update(3)
  await server.flush()
  expect(server.presence.members('doc:1')).toMatchObject([{ info: 3 }])
  first.leave()
  first.leave()
  await server.flush()
  expect(server.presence.members('doc:1')).toHaveLength(1)
  second.dispose()
  await server.flush()
  expect(server.presence.members('doc:1')).toEqual([])
  expect(first.current).toMatchObject({ joined: false, members: [], count: 0 })
  first.dispose()
  await server.flush()
  expect(server.presence.subscriptions()).toEqual([])
})

test('[P2] after a reconnect the client is the same member with its newest info', async () => {
  const { client, server, clock } = await connectedClient()
  const room = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  const [before] = room.current.members
  server.link.cut()
  room.update(2)
  server.presence.change('doc:1', 'ada', 'new')
  clock.advance(1_000)
  await server.flush()
  expect(room.current.members).toMatchObject([{ id: before?.id, info: 2, isMe: true }, { id: 'ada' }])
  expect(server.logged('presence:join').map(({ sequence }) => sequence)).toEqual([1, 2])
  expect(server.logged('presence:update')).toEqual([])
})

test('[P2] a member that was removed meanwhile joins again', async () => {
  const { client, server, clock } = await connectedClient()
  const room = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  const { link } = server
  link.cut()
  server.presence.forget(link)
  clock.advance(1_000)
  await server.flush()
  expect(room.current.members).toMatchObject([{ id: 'm2', isMe: true }])
})

test('[P5] updates while one is in flight are one, the newest', async () => {
  const { client, server } = await connectedClient()
  const room = presence<number>(client, 'doc:1', { info: 0 })
  await server.flush()
  for (const info of [1, 2, 3]) room.update(info)
  await server.flush()
  expect(server.logged('presence:update').map(({ info }) => info)).toEqual([1, 3])
})

test('[P6] with count only the number is requested and shown', async () => {
  const { client, server } = await connectedClient()
  server.presence.change('stream', 'a', 1)
  const room = presence(client, 'stream', { count: true })
  await server.flush()
  expect(room.current).toMatchObject({ count: 1, members: [], loading: false })
  server.presence.change('stream', 'b', 1)
  await server.flush()
  expect(room.current).toMatchObject({ count: 2, members: [] })
  expect(server.presence.subscriptions()).toEqual(['#stream'])
})

test('[P6] a room that is full shows ROOM_FULL; it is observed all the same', async () => {
  const { client, server, clock } = await connectedClient()
  server.presence.change('doc:1', 'ada', 1)
  failNext(server, 'presence:join', new RealtimeError('ROOM_FULL'))
  const room = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  expect(room.current).toMatchObject({ joined: false, loading: false, members: [{ id: 'ada' }], error: { code: 'ROOM_FULL' } })
  clock.advance(60_000)
  await server.flush()
  expect(server.logged('presence:join')).toHaveLength(1)
  failNext(server, 'presence:join', new RealtimeError('ROOM_FULL'))
  room.join()
  await server.flush()
  expect(room.current.error).toMatchObject({ code: 'ROOM_FULL' })
  room.update(2)
  await server.flush()
  expect(room.current).toMatchObject({ joined: true, error: undefined, count: 2 })
})

test('[X2] rights that are taken away end the subscription, the membership, or both', async () => {
  const { client, server } = await connectedClient()
  const room = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  server.link.notify({ name: 'server:revoked', payload: { target: { room: 'doc:1', membership: true }, error: forbidden } })
  await server.flush()
  expect(room.current).toMatchObject({ joined: false, count: 1, error: { code: 'FORBIDDEN' } })
  server.link.notify({ name: 'server:revoked', payload: { target: { room: 'doc:1' }, error: forbidden } })
  await server.flush()
  expect(room.current).toMatchObject({ joined: false, members: [], count: 0, loading: false, error: { code: 'FORBIDDEN' } })
})

test('[X5] a join or an update that is refused for now is sent again', async () => {
  const { client, server, clock } = await connectedClient()
  const limited = new RealtimeError('RATE_LIMITED', { retryAfterMs: 100 })
  failNext(server, 'presence:join', limited)
  const room = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  clock.advance(100)
  await server.flush()
  expect(room.current.joined).toBe(true)
  failNext(server, 'presence:update', limited)
  room.update(2)
  await server.flush()
  clock.advance(100)
  await server.flush()
  expect(server.presence.members('doc:1')).toMatchObject([{ info: 2 }])
  expect(room.current.error).toBeUndefined()
})

test('[P2] a request whose outcome is unknown to the server is sent again', async () => {
  const { client, server, clock } = await connectedClient()
  const unknown = new RealtimeError('OUTCOME_UNKNOWN')
  for (const name of ['presence:join', 'presence:subscribe']) {
    failNext(server, name, unknown)
    const room = presence(client, name, { info: 1 })
    await server.flush()
    clock.advance(2_000)
    await server.flush()
    expect(room.current).toMatchObject({ joined: true, count: 1, error: undefined })
  }
  failNext(server, 'presence:update', unknown)
  const room = presence<number>(client, 'presence:join')
  room.update(2)
  await server.flush()
  clock.advance(2_000)
  await server.flush()
  expect(server.presence.members('presence:join')).toMatchObject([{ info: 2 }])
})

test('[X6] an info that is refused shows the error until another one is accepted', async () => {
  const { client, server } = await connectedClient()
  const room = presence<unknown>(client, 'doc:1', { info: 1 })
  await server.flush()
  failNext(server, 'presence:update', new RealtimeError('INVALID_VALUE'))
  room.update('bad')
  await server.flush()
  expect(room.current).toMatchObject({ joined: true, error: { code: 'INVALID_VALUE' } })
  room.update(2)
  await server.flush()
  expect(room.current).toMatchObject({ error: undefined, members: [{ info: 2 }] })
})

test('[X9] misuse throws at once', async () => {
  const { client } = await connectedClient()
  const code = (expected: string) => expect.objectContaining({ code: expected })
  expect(() => presence(client, 'a*')).toThrow(code('INVALID_ROOM'))
  expect(() => presence(client, 'a', { info: new Date() as unknown as number })).toThrow(code('INVALID_VALUE'))
  // @ts-expect-error -- no such option
  expect(() => presence(client, 'a', { counts: true })).toThrow(code('INVALID_OPTIONS'))
  const room = presence(client, 'a')
  room.dispose()
  expect(() => room.join()).toThrow(code('CLOSED'))
  await client.close()
  expect(() => presence(client, 'a')).toThrow(code('CLOSED'))
})

test('[P1] a room that is left and used again within a turn sends nothing', async () => {
  const { client, server } = await connectedClient()
  const first = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  first.dispose()
  const second = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  expect(server.log).toHaveLength(2)
  expect(second.current).toMatchObject({ joined: true, count: 1 })
})

test('[P1] a client without a connection shows loading, and joins when it connects', async () => {
  const { client, server } = startClient({ autoConnect: false })
  const room = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  expect(room.current).toMatchObject({ loading: true, joined: false })
  client.connection.connect()
  await server.flush()
  expect(room.current).toMatchObject({ loading: false, joined: true })
})
