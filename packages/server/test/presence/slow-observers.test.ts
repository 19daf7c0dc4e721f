import { createMemoryCoordination } from '@tutti/coordination'
import type { PresenceChange } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { createPresenceRooms } from '../../src/presence/presence-rooms.ts'
import { createModelCore, type ModelConnection } from '../model-cluster.ts'

/** Two observers of a room in memory, one of which reads too slowly, and members that join it. */
async function slowRoom() {
  const { core, connect } = createModelCore()
  const coordination = createMemoryCoordination({ graceMs: 1 })
  const rooms = createPresenceRooms(core, coordination, 1)
  onTestFinished(async () => {
    rooms.close()
    await coordination.close()
  })
  const [slow, quick] = [connect('slow'), connect('quick')]
  for (const connection of [slow, quick]) {
    const reply = rooms.subscribe(connection, 'doc:1', false)
    await reply.result
    reply.after()
  }
  const members = coordination.members('doc:1')
  const join = async (name: string, info: number) => (await members.join({ user: '', clientId: name, connectionId: name }, info)).id
  return { rooms, slow, quick, members, join }
}

const changes = ({ received }: ModelConnection): PresenceChange[] =>
  received.filter(({ name }) => name === 'presence:changed').map(({ payload }) => payload as PresenceChange)

test('[P5] [C4] a slow observer receives one difference after it has read', async () => {
  const { rooms, slow, quick, members, join } = await slowRoom()
  const known = await join('known', 0)
  const leaving = await join('leaving', 0)
  await eventually(() => expect(changes(slow)).toHaveLength(1))
  slow.backlog.isFull = true
  rooms.addSlow(slow)
  for (let info = 1; info <= 3; info += 1) {
    await members.update('known', info)
    members.publishCursors({ [known]: info })
    await eventually(() => expect(changes(quick).at(-1)).toMatchObject({ updated: [{ info }] }))
  }
  const joined = await join('joined', 0)
  await eventually(() => expect(changes(quick).at(-1)).toMatchObject({ joined: [{ id: joined }] }))
  await members.leave('leaving')
  const brief = await join('brief', 0)
  await eventually(() => expect(changes(quick).at(-1)).toMatchObject({ joined: [{ id: brief }], left: [leaving] }))
  await members.leave('brief')
  await eventually(() => expect(changes(quick).at(-1)).toMatchObject({ left: [brief] }))
  expect(changes(slow)).toHaveLength(1)
  slow.backlog.drain()
  expect(changes(slow).slice(1)).toEqual([
    {
      room: 'doc:1',
      joined: [{ id: joined, user: '', info: 0 }],
      updated: [{ id: known, user: '', info: 3 }],
      left: [leaving],
      count: 2,
    },
  ])
  expect(slow.received.at(-1)).toEqual({ name: 'presence:cursors', payload: { room: 'doc:1', cursors: { [known]: 3 } } })
  slow.backlog.drain()
  await members.update('known', 4)
  await eventually(() => expect(changes(slow).at(-1)).toMatchObject({ updated: [{ info: 4 }] }))
})

test('[P5] [C4] a slow observer that subscribes again misses nothing', async () => {
  const { rooms, slow, quick, join } = await slowRoom()
  slow.backlog.isFull = true
  rooms.addSlow(slow)
  const first = await join('first', 0)
  await eventually(() => expect(changes(quick)).toHaveLength(1))
  const reply = rooms.subscribe(slow, 'doc:1', false)
  expect(await reply.result).toMatchObject({ members: [{ id: first }] })
  reply.after()
  const second = await join('second', 0)
  await eventually(() => expect(changes(quick)).toHaveLength(2))
  slow.backlog.drain()
  expect(changes(slow)).toMatchObject([{ joined: [{ id: second }] }])
})
