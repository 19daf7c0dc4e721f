import { messages } from '@tutti/client/messages'
import { room } from '@tutti/client/room'
import { RealtimeError, toWireError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { connectedClient, failNext } from '../setup-client.ts'

const forbidden = new RealtimeError('FORBIDDEN')

test('[R1] messages arrive by name and pattern, those of a room in its handles', async () => {
  const { client, server } = await connectedClient()
  const received: unknown[] = []
  const stop = messages(client).subscribe('saved', (data, context) => received.push([data, context]))
  messages(client).subscribe('chat:*', (data) => received.push(data))
  room(client, 'proj').messages.subscribe('saved', (data) => received.push(['proj', data]))
  await server.flush()
  expect(server.logged('room:join')).toEqual([{ room: 'proj' }])
  server.broadcast('proj', 'saved', 1)
  for (const name of ['saved', 'chat:new', 'other']) server.link.notify({ name: 'room:received', payload: { name, data: 2 } })
  await server.flush()
  expect(received).toEqual([[1, { name: 'saved', room: 'proj' }], ['proj', 1], [2, { name: 'saved', room: undefined }], 2])
  stop()
  server.link.notify({ name: 'room:received', payload: { name: 'saved', data: 3 } })
  await server.flush()
  expect(received).toHaveLength(4)
  expect(() => messages(client).subscribe('a*', () => {})).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
})

test('[R1] a room is joined again after a reconnect, and left with its last use', async () => {
  const { client, server, clock } = await connectedClient()
  const [first, second] = [room(client, 'proj'), room(client, 'proj')]
  const stop = first.messages.subscribe('n', () => {})
  second.join()
  second.join()
  await server.flush()
  expect([first.current, second.current]).toEqual([
    { joined: true, error: undefined },
    { joined: true, error: undefined },
  ])
  server.link.cut()
  expect(first.current.joined).toBe(false)
  clock.advance(1_000)
  await server.flush()
  expect(server.logged('room:join')).toHaveLength(2)
  expect(first.current.joined).toBe(true)
  stop()
  await server.flush()
  expect(server.logged('room:leave')).toEqual([])
  second.dispose()
  await server.flush()
  expect(server.logged('room:leave')).toEqual([{ room: 'proj' }])
  expect(second.current.joined).toBe(false)
  expect(() => second.join()).toThrow(expect.objectContaining({ code: 'CLOSED' }))
})

test('[X2] a refused or revoked membership is shown with its error', async () => {
  const { client, server } = await connectedClient()
  failNext(server, 'room:join', forbidden)
  const refused = room(client, 'a')
  refused.join()
  const revoked = room(client, 'b')
  await server.flush()
  expect(refused.current).toMatchObject({ joined: false, error: { code: 'FORBIDDEN' } })
  revoked.join()
  await server.flush()
  server.link.notify({ name: 'server:revoked', payload: { target: { room: 'b', joined: true }, error: toWireError(forbidden) } })
  await server.flush()
  expect(revoked.current).toMatchObject({ joined: false, error: { code: 'FORBIDDEN' } })
})

test('[R3] state, events and presence of a room have names of their own', async () => {
  const { client, server } = await connectedClient()
  const project = room(client, 'proj:1')
  const title = project.state('title', { default: '' })
  const heard: unknown[] = []
  project.events.subscribe('typing:*', (data, context) => heard.push([data, context]))
  const present = project.presence({ info: 1 })
  void title.set('x')
  await server.flush()
  expect(server.logged('storage:set')).toMatchObject([{ key: 'room:2:proj:1:title', value: 'x' }])
  expect(server.logged('presence:join')).toMatchObject([{ room: 'proj:1' }])
  expect(server.logged('event:subscribe')).toEqual([{ channel: 'room:2:proj:1:typing:*' }])
  server.link.notify({ name: 'event:received', payload: { channel: 'room:2:proj:1:typing:ada', data: true } })
  const published = project.events.publish('typing:me', 1)
  await server.flush()
  await published
  expect(server.logged('event:publish')).toMatchObject([{ channel: 'room:2:proj:1:typing:me' }])
  await server.flush()
  expect(heard).toEqual([[true, { channel: 'typing:ada' }]])
  expect([project.key('todos:'), present.current.joined]).toEqual(['room:2:proj:1:todos:', true])
  project.dispose()
  await server.flush()
  expect(server.logged('event:unsubscribe')).toHaveLength(1)
  expect(server.logged('presence:leave')).toHaveLength(1)
  expect(() => room(client, 'x'.repeat(129))).toThrow(expect.objectContaining({ code: 'INVALID_ROOM' }))
})
