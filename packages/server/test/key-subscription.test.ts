import type { StateUpdate } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import { expect, test } from 'vitest'
import type { DeliveryStep } from '../src/state/delivery-step.ts'
import { Join } from '../src/state/key-joins.ts'
import { KeySubscription } from '../src/state/key-subscription.ts'
import { createModelCore, type ModelConnection } from './model-cluster.ts'

function createKey() {
  const broadcasts: { update: StateUpdate; except: readonly string[] }[] = []
  const fetches: unknown[] = []
  const key = new KeySubscription('k', { joining: () => [], hasPrefixAbove: () => false, add: () => {}, delete: () => {} })
  const perform = (step: DeliveryStep | undefined): void => {
    if (step?.step === 'broadcast') broadcasts.push({ update: step.update, except: step.except })
    if (step?.step === 'fetch') fetches.push(step.writer)
    if (step?.step === 'send') for (const connection of step.connections) connection.send('storage:updated', step.entry)
  }
  const receive = (change: StateChange): void => perform(key.receive(change))
  const endRead = (...read: Parameters<KeySubscription['endRead']>): void => {
    perform(key.endRead(...read))
    for (const change of key.takeWaiting()) receive(change)
  }
  const connect = createModelCore().connect
  /** The newest version that was sent to any connection. */
  const newestSent = (): number => {
    const version = key.beginRead()
    endRead(undefined)
    return version
  }
  return { key, receive, endRead, broadcasts, fetches, connect, newestSent }
}

const at = (version: number, value: string | number = version) => ({ key: 'k', version, value })
const updatesOf = ({ received }: ModelConnection): unknown[] => received.map(({ payload }) => payload)

test('[S2] a change goes to all but its writer', () => {
  const { broadcasts, receive } = createKey()
  receive({ ...at(1), writer: 'w' })
  receive(at(2))
  expect(broadcasts).toEqual([
    { update: at(1), except: ['w'] },
    { update: at(2), except: [] },
  ])
})

test('[S8] a patch is sent as it is, and a change without a value is fetched', () => {
  const { broadcasts, fetches, receive } = createKey()
  const patch = { key: 'k', version: 2, base: 1, patch: { a: 1 } }
  receive(patch)
  receive({ key: 'k', version: 3 })
  receive({ key: 'k', version: 4, base: 3, writer: 'w' })
  receive({ key: 'k', version: 5, patch: { a: 2 } })
  expect(broadcasts).toEqual([{ update: patch, except: [] }])
  expect(fetches).toEqual([undefined, { id: 'w', version: 4 }, undefined])
})

test('[S5] a value that the entry of the only subscriber has already is not fetched', () => {
  const { key, fetches, receive } = createKey()
  const join = new Join('a')
  key.beginJoin(join)
  join.isOver = true
  expect(key.endJoin(join, at(5))).toEqual([])
  receive({ key: 'k', version: 5 })
  expect(fetches).toEqual([])
  expect(key.isIdle).toBe(true)
})

test('[S5] a key that is being read is not idle', () => {
  const { key, endRead } = createKey()
  expect(key.isIdle).toBe(true)
  key.beginRead()
  expect(key.isIdle).toBe(false)
  endRead(undefined)
  expect(key.isIdle).toBe(true)
})

test('[S2] changes wait until the last of several reads is answered', () => {
  const { key, broadcasts, receive, endRead } = createKey()
  key.beginRead()
  key.beginRead()
  for (const version of [2, 3]) receive(at(version))
  endRead(at(1))
  expect(broadcasts.map(({ update }) => update)).toEqual([at(1)])
  endRead(at(2))
  expect(broadcasts.map(({ update }) => update)).toEqual([at(1), at(2), at(3)])
})

test('[S3] versions of replies, changes and reads all count as sent', () => {
  const { key, newestSent, receive, endRead } = createKey()
  expect(newestSent()).toBe(0)
  key.noteWritten('w', 1)
  expect(newestSent()).toBe(1)
  receive(at(2))
  expect(newestSent()).toBe(2)
  key.beginRead()
  endRead(at(3))
  expect(newestSent()).toBe(3)
  key.begin('a', 'keyReply')
  key.end('a', 'keyReply', 4)
  expect(newestSent()).toBe(4)
  key.noteSent(2)
  expect(newestSent()).toBe(4)
})

test('[S3] an entry lost by the store is reset once, also for clients ahead', () => {
  const { key, broadcasts, receive, endRead } = createKey()
  receive(at(3))
  key.begin('ahead', 'keyReply')
  key.end('ahead', 'keyReply', 9)
  for (let repair = 0; repair < 2; repair += 1) endRead(at(2), { sentBefore: key.beginRead() })
  receive(at(4))
  expect(broadcasts.slice(1)).toEqual([
    { update: { ...at(2), reset: true }, except: [] },
    { update: at(4), except: [] },
  ])
})

test('[S5] the writer of a fetched entry is excluded, unless there is a newer one', () => {
  const { key, broadcasts, endRead } = createKey()
  const writer = { id: 'w', version: 1 }
  for (const version of [1, 2]) {
    key.beginRead()
    endRead(at(version), { writer })
  }
  expect(broadcasts).toEqual([
    { update: at(1), except: ['w'] },
    { update: at(2), except: [] },
  ])
})

test('[F2] a writer in doubt receives the fetched entry, including its own write', () => {
  const { key, broadcasts, connect, endRead } = createKey()
  for (const [version, doubting] of [
    [1, ['w']],
    [2, ['other']],
    [3, ['w', 'other']],
  ] as const) {
    for (const id of doubting) key.sendNextEntryTo(connect(id))
    key.beginRead()
    endRead(at(version), { writer: { id: 'w', version } })
  }
  expect(broadcasts.map(({ except }) => except)).toEqual([[], ['w'], []])
})

test('[F2] a connection in doubt receives the entry once, and nothing older', () => {
  const { key, broadcasts, connect, receive, endRead } = createKey()
  const [doubting, left] = [connect('doubting'), connect('left')]
  receive(at(5))
  for (const connection of [doubting, left]) key.sendNextEntryTo(connection)
  key.leave('left')
  for (let repair = 0; repair < 2; repair += 1) endRead(at(5), { sentBefore: key.beginRead() })
  expect(updatesOf(doubting)).toEqual([at(5)])
  key.sendNextEntryTo(doubting)
  key.beginRead()
  endRead(at(4))
  expect(updatesOf(doubting)).toEqual([at(5)])
  expect(updatesOf(left)).toEqual([])
  expect(broadcasts).toHaveLength(1)
})

test('[S2] a connection that leaves is no longer waited for', () => {
  const { key } = createKey()
  key.beginWrite('a')
  expect(key.isIdle).toBe(false)
  key.leave('a')
  expect(key.isIdle).toBe(true)
})
