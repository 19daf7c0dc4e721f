import type { StateChange } from '@tutti/storage-driver/contract'
import { expect, test } from 'vitest'
import { createRooms } from '../src/connection/rooms.ts'
import { Join, KeyJoins } from '../src/state/key-joins.ts'
import { KeySubscription } from '../src/state/key-subscription.ts'
import { ModelConnection } from './model-cluster.ts'

const at = (version: number) => ({ key: 'k', version, value: `value ${version}` })

/** A key with connections that join it. `reply` sends a connection its reply, and returns what it missed. */
function createKey() {
  const cursors = new Set<string>()
  const key = new KeySubscription('k', {
    joining: () => [],
    hasPrefixAbove: () => false,
    add: (id) => void cursors.add(id),
    delete: (id) => void cursors.delete(id),
  })
  const joins = new Map<string, Join>()
  const begin = (...ids: string[]): void => {
    for (const id of ids) {
      const join = new Join(id)
      joins.set(id, join)
      key.beginJoin(join)
    }
  }
  const reply = (id: string, version: number): readonly StateChange[] => {
    const join = joins.get(id)
    if (join === undefined) throw new Error(`${id} does not join.`)
    join.isOver = true
    const missed = key.endJoin(join, at(version))
    key.join(new ModelConnection(id, createRooms()))
    return missed
  }
  /** The ids that a broadcast of a change leaves out. */
  const exceptOf = (version: number): readonly string[] => {
    const step = key.receive(at(version))
    if (step?.step !== 'broadcast') throw new Error('The change is not broadcast.')
    return step.except
  }
  return { key, cursors, begin, reply, exceptOf }
}

test('[S2] connections that join a key need no cursor while nothing happens to it', () => {
  const { key, cursors, begin, reply, exceptOf } = createKey()
  begin('a', 'b', 'c')
  expect(key.isIdle).toBe(false)
  expect(['a', 'b', 'c'].map((id) => reply(id, 5))).toEqual([[], [], []])
  expect([cursors.size, key.isIdle, key.commonVersion]).toEqual([0, true, 5])
  expect(exceptOf(6)).toEqual([])
})

test('[S2] a change while connections join is sent to each that lacks it', () => {
  const { key, cursors, begin, reply, exceptOf } = createKey()
  begin('a', 'b')
  expect(exceptOf(6)).toEqual(['a', 'b'])
  begin('c')
  expect(exceptOf(7)).toEqual(['a', 'b', 'c'])
  expect(reply('a', 5)).toEqual([at(6), at(7)])
  expect(reply('b', 6)).toEqual([at(7)])
  expect(reply('c', 7)).toEqual([])
  expect([cursors.size, key.isIdle]).toEqual([0, true])
})

test('[S2] a connection whose entry was read earlier is sent the one that another has', () => {
  const { key, begin, reply, exceptOf } = createKey()
  begin('a', 'b', 'c', 'd')
  expect(reply('a', 7)).toEqual([])
  expect(reply('b', 5)).toEqual([at(7)])
  // The message about the change that made it is not needed any more.
  expect(key.receive(at(7))).toBeUndefined()
  expect(exceptOf(8)).toEqual(['c', 'd'])
  expect(reply('c', 6)).toEqual([at(7), at(8)])
  expect(reply('d', 8)).toEqual([])
})

test('[S2] a connection whose entry is ahead of others is left out until they have it', () => {
  const { cursors, begin, reply, exceptOf } = createKey()
  begin('a')
  reply('a', 5)
  begin('b', 'c')
  expect(reply('b', 7)).toEqual([])
  expect(exceptOf(6)).toEqual(['c', 'b'])
  expect(exceptOf(7)).toEqual(['c', 'b'])
  expect(reply('c', 5)).toEqual([at(6), at(7)])
  expect(cursors.size).toBe(0)
  expect(exceptOf(8)).toEqual([])
})

test('[S2] a connection may leave while it joins, and others miss nothing', () => {
  const { key, cursors, begin, reply, exceptOf } = createKey()
  begin('a', 'b')
  key.leave('a')
  expect(exceptOf(6)).toEqual(['b'])
  expect(reply('b', 5)).toEqual([at(6)])
  expect([cursors.size, key.isIdle]).toEqual([0, true])
})

test('[S2] an entry that is ahead begins no stream while another has a cursor', () => {
  const { begin, reply, exceptOf } = createKey()
  begin('a', 'b')
  expect(exceptOf(6)).toEqual(['a', 'b'])
  expect(reply('a', 8)).toEqual([])
  expect([exceptOf(7), exceptOf(8)]).toEqual([
    ['a', 'b'],
    ['a', 'b'],
  ])
  expect(reply('b', 6)).toEqual([at(7), at(8)])
})

test('[C4] an entry for a slow connection is sent after the reply that it awaits', () => {
  const { key, begin, reply } = createKey()
  begin('a')
  reply('a', 5)
  begin('b')
  key.sendNextEntryTo(new ModelConnection('b', createRooms()))
  key.beginRead()
  expect(key.endRead(at(5))).toEqual({ step: 'send', entry: at(5), connections: [] })
  expect(reply('b', 4)).toEqual([at(5)])
})

test('[S2] a connection that writes while it joins gets its reply before later changes', () => {
  const { key, begin, reply, exceptOf } = createKey()
  begin('a', 'b')
  const write = key.beginWrite('a')
  key.noteWritten('a', 6)
  expect(key.receive({ ...at(6), writer: 'a' })).toMatchObject({ except: ['a', 'b', 'a'] })
  expect(exceptOf(7)).toEqual(['a', 'b'])
  expect(reply('a', 6)).toEqual([])
  expect(key.endWrite('a', write, 6)).toEqual([at(7)])
  expect(reply('b', 5)).toEqual([{ ...at(6), writer: 'a' }, at(7)])
})

test('[S3] what the store has lost is not sent to those that join', () => {
  const { key, begin, reply } = createKey()
  begin('a', 'b')
  reply('a', 7)
  const sentBefore = key.beginRead()
  expect(key.endRead(at(2), { sentBefore })).toMatchObject({ step: 'broadcast', update: { version: 2, reset: true }, except: ['b'] })
  expect(reply('b', 2)).toEqual([])
})

test('joins that are over are not kept while another waits', () => {
  const joins = new KeyJoins()
  joins.add(new Join('slow'))
  for (let index = 0; index < 10_000; index += 1) {
    const join = new Join(`c${index}`)
    joins.add(join)
    join.isOver = true
    joins.end(1)
  }
  expect(joins.waiting().map(({ connectionId }) => connectionId)).toEqual(['slow'])
  const kept: unknown = Reflect.get(joins, 'joins')
  expect(Array.isArray(kept) && kept.length).toBeLessThan(100)
})
