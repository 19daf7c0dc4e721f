import { expect, test } from 'vitest'
import { isKey, roomKey } from '../src/index.ts'
import { splitRoomKey } from '../src/internal.ts'

test('[R3] keys of rooms whose names could be continued by a key never collide', () => {
  const rooms = ['proj', 'proj:1', 'proj:1:x', '1', '1:proj', 'room:1:proj']
  const keys = ['x', '1', '1:x', '1:x:y', 'proj', 'room:1:proj:x']
  const names = rooms.flatMap((room) => keys.map((key) => roomKey(room, key)))
  expect(new Set(names).size).toBe(names.length)
  for (const room of rooms) for (const key of keys) expect(splitRoomKey(roomKey(room, key))).toEqual({ room, key })
  expect(names.every(isKey)).toBe(true)
})

test.each(['room:1:proj', 'room:2:proj:x', 'room:0:proj:x', 'room:01:proj:x', 'room:x:proj:y', 'room', 'todos:1', 'xroom:1:a:b'])(
  '[R3] %s is no key of a room',
  (name) => expect(splitRoomKey(name)).toBeUndefined(),
)

test('[R3] a pattern and a prefix of a room are split as its keys are', () => {
  expect(splitRoomKey(roomKey('proj:1', '*'))).toEqual({ room: 'proj:1', key: '*' })
  expect(splitRoomKey(roomKey('proj:1', 'todos:*'))).toEqual({ room: 'proj:1', key: 'todos:*' })
  expect(splitRoomKey('room:1:*')).toBeUndefined()
})
