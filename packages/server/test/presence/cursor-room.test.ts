import { createMemoryCoordination } from '@tutti/coordination'
import { expect, test } from 'vitest'
import { createPresenceRooms } from '../../src/presence/presence-rooms.ts'

const TICK_MS = 20

test('[P5] a room whose last member leaves with a waiting cursor is forgotten', async () => {
  const coordination = createMemoryCoordination()
  let opened = 0
  const counting = {
    ...coordination,
    members: (room: string) => {
      opened += 1
      return coordination.members(room)
    },
  }
  const fanOut = { hasReceivers: () => false, idsIn: () => new Set<string>(), emit: () => 0 }
  const rooms = createPresenceRooms({ fanOut }, counting, TICK_MS)
  const moveAndLeave = async (): Promise<void> => {
    rooms.move('doc:1', 'ada', { x: 1 })
    // The member has left.
    rooms.collect('doc:1')
    await new Promise((resolve) => setTimeout(resolve, 5 * TICK_MS))
  }
  await moveAndLeave()
  await moveAndLeave()
  // The second time it was not known any more.
  expect(opened).toBe(2)
  rooms.close()
  await coordination.close()
})
