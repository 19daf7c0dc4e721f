import { expect, test } from 'vitest'
import { createRooms } from '../../src/connection/rooms.ts'
import { createRecentConnections } from '../../src/rooms/recent-connections.ts'
import { ModelConnection } from '../model-cluster.ts'

test('[R1] a connection is newer than a command that was sent before it', () => {
  let now = 0
  const recent = createRecentConnections(() => now)
  const [first, second, unknown] = ['a', 'b', 'c'].map((id) => new ModelConnection(id, createRooms()))
  if (!first || !second || !unknown) throw new Error('not made')
  recent.add(first)
  now = 3_000
  recent.add(second)
  now = 4_000
  expect([500, 1_500, 4_500].map((ageMs) => [first, second, unknown].map((connection) => recent.isNewer(connection, ageMs)))).toEqual([
    [false, false, false],
    [false, true, false],
    [true, true, false],
  ])
  // Instances do not know the time exactly: a connection opened just before the command must not stay.
  expect([3_000, 1_000].map((ageMs) => [first, second].map((connection) => recent.isNewer(connection, 20 + ageMs)))).toEqual([
    [false, true],
    [false, false],
  ])
  now = 11_000
  recent.add(unknown)
  expect(recent.isNewer(first, 20_000)).toBe(false)
  expect(recent.isNewer(second, 20_000)).toBe(true)
})
