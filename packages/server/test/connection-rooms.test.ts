import { expect, test } from 'vitest'
import { createLocalConnection } from '../src/as-user/local-connection.ts'
import { createSubscriptions, type Connection } from '../src/connection/connection.ts'
import { createFanOut } from '../src/connection/fan-out.ts'
import { createRooms } from '../src/connection/rooms.ts'

const update = { key: 'k', version: 1, value: 1 }

/** The rooms of these tests. */
const ROOMS = ['r', 's', ...Array.from({ length: 40 }, (_, index) => `r${index}`)]

/** A connection with these properties, subscribed to all rooms. */
const createMember = (properties: Pick<Connection, 'id' | 'deliver'>): Connection => ({
  ...createLocalConnection({ user: '', address: '', rooms: createRooms(), maxSubscriptions: 1, listeners: {} }),
  ...properties,
  subscriptions: { ...createSubscriptions(1), all: ROOMS },
})

function createModel() {
  const rooms = createRooms()
  const delivered: string[] = []
  const packets = new Set<unknown>()
  const member = (id: string): Connection =>
    createMember({
      id,
      deliver: (notice) => {
        delivered.push(id)
        packets.add(notice.packet)
      },
    })
  return { rooms, delivered, packets, fanOut: createFanOut(rooms), a: member('a'), b: member('b'), c: member('c') }
}

test('a room has the members that joined and did not leave, each once', () => {
  const { rooms, a, b, c } = createModel()
  for (const member of [a, b, a, c]) rooms.join('r', member)
  expect(rooms.membersOf(['r'])).toEqual([a, b, c])
  rooms.leave('r', b)
  rooms.leave('r', b)
  expect(rooms.membersOf(['r'])).toEqual([a, c])
  rooms.leave('r', a)
  expect(rooms.membersOf(['r'])).toEqual([c])
  rooms.join('r', b)
  expect(rooms.membersOf(['r'])).toEqual([c, b])
  rooms.leave('never joined', a)
  expect(rooms.has('never joined')).toBe(false)
})

test('nothing is left of rooms and members that are gone', () => {
  const { rooms, a, b } = createModel()
  for (const member of [a, b]) for (const name of ['r', 's', member.id]) rooms.join(name, member)
  rooms.leaveAll(a)
  expect(rooms.membersOf(['r', 's', 'a', 'b'])).toEqual([b])
  rooms.leave('b', b)
  rooms.leave('r', b)
  expect([rooms.has('r'), rooms.has('s'), rooms.isEmpty]).toEqual([false, true, false])
  rooms.leave('s', b)
  expect(rooms.isEmpty).toBe(true)
})

test('a notice reaches each member of the rooms once, except excluded ones', () => {
  const { rooms, delivered, packets, fanOut, a, b, c } = createModel()
  for (const member of [a, b, c]) rooms.join(member.id, member)
  for (const member of [a, b]) rooms.join('r', member)
  for (const member of [b, c]) rooms.join('s', member)
  fanOut.emit(['r', 's', 'empty', 'c'], 'storage:updated', update)
  expect(delivered).toEqual(['a', 'b', 'c'])
  expect(packets.size).toBe(1)
  fanOut.emit(['r', 's'], 'storage:updated', update, ['b'])
  fanOut.emit(['r', 's'], 'storage:updated', update, ['c', ...Array.from({ length: 20 }, (_, number) => `gone ${number}`), 'a'])
  expect(delivered.slice(3)).toEqual(['a', 'c', 'b'])
})

test('the text of a payload is sent as it is where it is known', () => {
  const { rooms, packets, fanOut, a } = createModel()
  rooms.join('r', a)
  fanOut.emit(['r'], 'storage:updated', update, [], '{"as":"given"}')
  fanOut.emit(['r'], 'storage:updated', update)
  expect([...packets]).toMatchObject([
    { text: '2["storage:updated",{"as":"given"}]' },
    { text: `2["storage:updated",${JSON.stringify(update)}]` },
  ])
})

test('a member that joins while a notice is delivered does not receive it', () => {
  const { rooms, delivered, fanOut, a, b, c } = createModel()
  const joining = createMember({ id: 'j', deliver: () => rooms.join('r', c) })
  for (const member of [joining, a, b]) rooms.join('r', member)
  fanOut.emit(['r'], 'storage:updated', update)
  expect(delivered).toEqual(['a', 'b'])
})

test('a member leaves all of many rooms', () => {
  const { rooms, a, b } = createModel()
  const names = Array.from({ length: 40 }, (_, index) => `r${index}`)
  for (const name of names) for (const member of [a, b]) rooms.join(name, member)
  for (const name of names.slice(0, 30)) rooms.leave(name, a)
  expect(rooms.membersOf(names.slice(30))).toEqual([a, b])
  rooms.leaveAll(a)
  expect(rooms.membersOf(names)).toEqual([b])
  rooms.leaveAll(b)
  expect(rooms.isEmpty).toBe(true)
})
