import { expect, test } from 'vitest'
import type { Change } from '../../src/state/change.ts'
import {
  conditionOf,
  unknownKey,
  withAck,
  withAnswer,
  withReleased,
  withUpdate,
  type KeyState,
  type PendingChange,
} from '../../src/state/key-state.ts'

const key = 'k'
const at = (version: number, more: Partial<KeyState> = {}): KeyState => ({
  ...unknownKey(key),
  confirmed: { key, version, value: { a: version } },
  ...more,
})
const pending = (change: Change, ifVersion?: number): PendingChange => ({
  change,
  deferred: false,
  waiters: [() => {}],
  sent: { number: 1, sentAt: 0, value: change.op === 'set' ? change.value : undefined, ifVersion },
})
const patch = pending({ op: 'patch', patch: { mine: 1 } })
const set = (ifVersion?: number): PendingChange => pending({ op: 'set', value: 'mine' }, ifVersion)
const next: PendingChange = { change: { op: 'set', value: 'next' }, deferred: false, waiters: [] }

test('[S3] an update that is not newer changes nothing', () => {
  const state = at(5)
  expect(withUpdate(state, { key, version: 5, value: 'same' })).toBe(state)
  expect(withUpdate(state, { key, version: 4, value: 'older' })).toBe(state)
  expect(withUpdate(state, { key, version: 5, base: 4, patch: { a: 0 } })).toBe(state)
  expect(withUpdate(state, { key, version: 4, base: 5, patch: { a: 0 } })).toBe(state)
  expect(withAnswer(state, state, undefined)).toBe(state)
})

test('[S8] a patch of the current version is applied; any other requests the entry', () => {
  expect(withUpdate(at(5), { key, version: 7, base: 5, patch: { b: 1 } })).toEqual({
    ...at(5),
    confirmed: { key, version: 7, value: { a: 5, b: 1 } },
  })
  for (const state of [at(5), unknownKey(key)]) {
    const behind = withUpdate(state, { key, version: 9, base: 8, patch: { b: 1 } })
    expect(behind).toEqual({ ...state, wanted: 9 })
    expect(behind.wanted > 0).toBe(true)
    expect(withUpdate(behind, { key, version: 8, base: 6, patch: {} }).wanted).toBe(9)
    expect(withUpdate(behind, { key, version: 7, value: 7 })).toEqual({ ...behind, confirmed: { key, version: 7, value: 7 } })
    const there = withUpdate(behind, { key, version: 9, value: 9 })
    expect(there).toEqual({ ...state, confirmed: { key, version: 9, value: 9 }, wanted: 0 })
    expect(there.wanted > 0).toBe(false)
  }
})

test('[S3] a reply replaces the state known at the request, not later ones', () => {
  const atRequest = at(9)
  expect(withAnswer(atRequest, atRequest, { key, version: 7, value: 'kept' }).confirmed).toEqual({ key, version: 7, value: 'kept' })
  const since = at(10)
  expect(withAnswer(since, atRequest, { key, version: 7, value: 'kept' })).toBe(since)
  expect(withAnswer(since, atRequest, { key, version: 11, value: 'newer' }).confirmed).toEqual({ key, version: 11, value: 'newer' })
})

test('[S3] a reply settles versions known at its request; later ones stay wanted', () => {
  const acked: PendingChange = { ...patch, acked: true }
  const atRequest = at(5, { wanted: 9, pending: [acked, next] })
  for (const answer of [undefined, { key, version: 7, value: 7 }]) {
    expect(withAnswer(atRequest, atRequest, answer)).toMatchObject({ wanted: 0, pending: [next] })
    expect(withAnswer({ ...atRequest, wanted: 11 }, atRequest, answer)).toMatchObject({ wanted: 11, pending: [acked, next] })
  }
})

test('[S13] an acknowledged change is confirmed, unless a newer entry has arrived', () => {
  const confirmed = withAck(at(5, { pending: [set(), next] }), { version: 6 })
  expect(confirmed).toMatchObject({ confirmed: { key, version: 6, value: 'mine' }, pending: [next] })
  for (const version of [8, 9]) {
    const state = at(9, { pending: [set(), next] })
    const after = withAck(state, { version })
    expect(after.confirmed).toBe(state.confirmed)
    expect(after.pending).toEqual([next])
  }
  const closed = unknownKey(key)
  expect(withAck(closed, { version: 1 })).toBe(closed)
})

test('[S8] an acknowledged patch is applied to its base, or shown until its entry', () => {
  const merged = withAck(at(5, { pending: [patch, next] }), { version: 6, base: 5 })
  expect(merged).toMatchObject({ confirmed: { version: 6, value: { a: 5, mine: 1 } }, pending: [next], wanted: 0 })
  for (const state of [at(5, { pending: [patch, next] }), { ...unknownKey(key), pending: [patch, next] }]) {
    const waiting = withAck(state, { version: 8, base: 7 })
    expect(waiting).toMatchObject({ confirmed: state.confirmed, wanted: 8 })
    expect(waiting.pending).toEqual([{ ...patch, acked: true, waiters: [] }, next])
    expect(withAck({ ...state, wanted: 9 }, { version: 8, base: 7 }).wanted).toBe(9)
    expect(withUpdate(waiting, { key, version: 8, value: 8 }).pending).toEqual([next])
  }
})

test("[S14] a condition moves only along the client's own writes", () => {
  const conditions = (state: KeyState, ...versions: (number | undefined)[]) => versions.map((version) => conditionOf(state, version))
  expect(conditions(at(5), 5, undefined)).toEqual([5, undefined])
  const first = withAck(at(5, { pending: [set(5)] }), { version: 8 })
  expect(conditions(first, 4, 5, 6, undefined)).toEqual([4, 8, 6, undefined])
  const second = withAck({ ...first, pending: [patch] }, { version: 10, base: 8 })
  expect(conditions(second, 4, 5, 8, 9)).toEqual([4, 10, 10, 9])
  // Version 11 was written by another client.
  const third = withAck({ ...second, pending: [patch] }, { version: 12, base: 11 })
  expect(conditions(third, 10, 11, 12)).toEqual([10, 12, 12])
  // Without a condition, all earlier writes of others are replaced; an increment keeps them.
  const replaced = withAck({ ...third, pending: [set()] }, { version: 14 })
  expect(conditions(replaced, 1, 13, 14)).toEqual([14, 14, 14])
  const counted = withAck({ ...third, pending: [pending({ op: 'increment', by: 1, initial: 0 })] }, { version: 15, value: 1 })
  expect(counted.own).toEqual(third.own)
})

test('[S16] releasing sends all changes; without deferred ones nothing changes', () => {
  const deferredState = { ...next, deferred: true }
  expect(withReleased(at(5, { pending: [set(), deferredState] })).pending).toEqual(
    [set(), next].map((item) => ({ ...item, waiters: expect.anything() })),
  )
  const free = at(5, { pending: [next] })
  expect(withReleased(free)).toBe(free)
})
