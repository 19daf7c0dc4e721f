import { expect, test } from 'vitest'
import { isNewer } from '../../src/rooms/room-commands.ts'

/** Whether connections that were opened at these times are newer than a command of this age. */
const areNewer = (openedAt: readonly number[], { ageMs, now }: { ageMs: number; now: number }): boolean[] =>
  openedAt.map((at) => isNewer({ openedAt: at }, ageMs, now))

test('[R1] a connection is newer than a command that was sent before it', () => {
  const now = 4_000
  expect([500, 1_500, 4_500].map((ageMs) => areNewer([0, 3_000], { ageMs, now }))).toEqual([
    [false, false],
    [false, true],
    [true, true],
  ])
})

test('[R1] a connection that was opened just before a command is not newer', () => {
  // Instances do not know the time exactly.
  const now = 4_000
  expect([3_020, 1_020].map((ageMs) => areNewer([0, 3_000], { ageMs, now }))).toEqual([
    [false, true],
    [false, false],
  ])
})
