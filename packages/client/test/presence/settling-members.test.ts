import { presence } from '@tutti/client/presence'
import { expect, test } from 'vitest'
import { connectedClient, unavailable, type TestClient } from '../setup-client.ts'

/** A client that shows three members, reconnects, and receives a page without them: Redis has lost its data. */
async function afterLoss(): Promise<TestClient & { shown: () => string[]; counts: () => number; left: Set<string> }> {
  const started = await connectedClient()
  const { client, server, clock } = started
  for (const id of ['a', 'b', 'c']) server.presence.change('doc:1', id, 1)
  const room = presence(client, 'doc:1')
  await server.flush()
  const left = new Set<string>()
  let before = room.current.members
  room.subscribe(({ members }) => {
    for (const { id } of before) if (!members.some((member) => member.id === id)) left.add(id)
    before = members
  })
  server.link.cut()
  for (const id of ['a', 'b', 'c']) server.presence.change('doc:1', id, undefined)
  server.presence.settle(3_000)
  clock.advance(1_000)
  await server.flush()
  return { ...started, left, shown: () => room.current.members.map(({ id }) => id).sort(), counts: () => room.current.count }
}

test('[P3] members that a settling page lacks are shown until its time has passed', async () => {
  const { server, clock, shown, counts, left } = await afterLoss()
  expect([shown(), counts()]).toEqual([['a', 'b', 'c'], 3])
  server.presence.change('doc:1', 'a', 1)
  server.presence.change('doc:1', 'b', 1)
  await server.flush()
  expect([shown(), counts()]).toEqual([['a', 'b', 'c'], 3])
  clock.advance(2_999)
  expect([...left]).toEqual([])
  clock.advance(1)
  expect([shown(), counts(), [...left]]).toEqual([['a', 'b'], 2, ['c']])
  clock.advance(10_000)
  expect(shown()).toEqual(['a', 'b'])
})

test('[P3] a member that left, or changes, while a page is settling does so at once', async () => {
  const { server, clock, shown, left } = await afterLoss()
  server.presence.change('doc:1', 'a', 1)
  server.presence.change('doc:1', 'a', undefined)
  server.presence.change('doc:1', 'b', 2)
  await server.flush()
  expect([shown(), [...left]]).toEqual([['b', 'c'], ['a']])
  clock.advance(3_000)
  expect(shown()).toEqual(['b'])
})

test('[P3] a settling page removes the own member that joined again as another', async () => {
  const { client, server, clock } = await connectedClient()
  const room = presence(client, 'doc:1', { info: 1 })
  await server.flush()
  const { link } = server
  link.cut()
  server.presence.forget(link)
  server.presence.settle(3_000)
  // The reply to the join arrives after the page.
  server.judge = ({ name }) => (name === 'presence:join' ? unavailable(500) : undefined)
  clock.advance(1_000)
  await server.flush()
  server.judge = () => undefined
  clock.advance(500)
  await server.flush()
  expect(room.current.members).toMatchObject([
    { id: 'm1', isMe: false },
    { id: 'm2', isMe: true },
  ])
  clock.advance(3_000)
  expect(room.current.members).toMatchObject([{ id: 'm2', isMe: true }])
})

test('[P3] a connection lost while a page is settling removes no member', async () => {
  const { server, clock, shown, left } = await afterLoss()
  server.presence.change('doc:1', 'a', 1)
  await server.flush()
  server.refuseLinks = unavailable()
  server.link.cut()
  clock.advance(10_000)
  await server.flush()
  expect([shown(), [...left]]).toEqual([['a', 'b', 'c'], []])
  server.presence.settle(0)
  server.refuseLinks = undefined
  for (let second = 0; second < 10; second += 1) {
    clock.advance(1_000)
    await server.flush()
  }
  expect([shown(), [...left].sort()]).toEqual([['a'], ['b', 'c']])
})
