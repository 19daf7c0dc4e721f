import { expect, test } from 'vitest'
import { createSessionId } from '../src/http/node/session-id.ts'

test('ids of sessions are different from each other, and have the form of Engine.IO', () => {
  const ids = Array.from({ length: 2_000 }, createSessionId)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[\w-]{20}$/)
  // Each place of an id has each of the 64 characters.
  for (let place = 0; place < 20; place += 1) expect(new Set(ids.map((id) => id[place])).size).toBe(64)
})
