import type { StateUpdate } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { SubscribedKey } from '../src/state/subscribed-key.ts'
import { createModelCore, type ModelConnection } from './model-cluster.ts'

function createKey() {
  const broadcasts: { update: StateUpdate; except: readonly string[] }[] = []
  const fetches: unknown[] = []
  const key = new SubscribedKey({
    broadcast: (update, except) => broadcasts.push({ update, except }),
    fetch: (_key, writer) => fetches.push(writer),
    tell: (connection, entry) => connection.send('storage:updated', entry),
    joining: () => [],
  })
  const connect = createModelCore().connect
  /** The newest version that anybody was told. */
  const told = (): number => {
    const version = key.hold()
    key.resume(undefined)
    return version
  }
  return { key, broadcasts, fetches, connect, told }
}

const at = (version: number, value: string | number = version) => ({ key: 'k', version, value })
const updatesOf = ({ received }: ModelConnection): unknown[] => received.map(({ payload }) => payload)

test('[S2] a change goes to all but its writer', () => {
  const { key, broadcasts } = createKey()
  key.hear({ ...at(1), writer: 'w' })
  key.hear(at(2))
  expect(broadcasts).toEqual([
    { update: at(1), except: ['w'] },
    { update: at(2), except: [] },
  ])
})

test('[S8] a patch goes as it is, whatever has no value is fetched, and its writer knows it', () => {
  const { key, broadcasts, fetches } = createKey()
  const patch = { key: 'k', version: 2, base: 1, patch: { a: 1 } }
  key.hear(patch)
  key.hear({ key: 'k', version: 3 })
  key.hear({ key: 'k', version: 4, base: 3, writer: 'w' })
  key.hear({ key: 'k', version: 5, patch: { a: 2 } })
  expect(broadcasts).toEqual([{ update: patch, except: [] }])
  expect(fetches).toEqual([undefined, { id: 'w', version: 4 }, undefined])
})

test('[S5] a value that the entry of the only subscriber has already is not fetched', () => {
  const { key, fetches } = createKey()
  key.beginJoin('a')
  expect(key.settleJoin('a', 5, true)).toEqual([])
  key.hear({ key: 'k', version: 5 })
  expect(fetches).toEqual([])
  expect(key.idle).toBe(true)
})

test('[S5] a key that is being read is not idle', () => {
  const { key } = createKey()
  expect(key.idle).toBe(true)
  key.hold()
  expect(key.idle).toBe(false)
  key.resume(undefined)
  expect(key.idle).toBe(true)
})

test('[S2] changes wait until the last of several reads is answered', () => {
  const { key, broadcasts } = createKey()
  key.hold()
  key.hold()
  for (const version of [2, 3]) key.hear(at(version))
  key.resume(at(1))
  expect(broadcasts.map(({ update }) => update)).toEqual([at(1)])
  key.resume(at(2))
  expect(broadcasts.map(({ update }) => update)).toEqual([at(1), at(2), at(3)])
})

test('[S3] what anybody was told by a reply, a change or a read counts as told', () => {
  const { key, told } = createKey()
  expect(told()).toBe(0)
  key.noteWritten('w', 1)
  expect(told()).toBe(1)
  key.hear(at(2))
  expect(told()).toBe(2)
  key.hold()
  key.resume(at(3))
  expect(told()).toBe(3)
  key.beginJoin('a')
  key.settleJoin('a', 4, false)
  expect(told()).toBe(4)
  key.know(2)
  expect(told()).toBe(4)
})

test('[S3] what the store has lost is reset once, also for those who were ahead', () => {
  const { key, broadcasts } = createKey()
  key.hear(at(3))
  key.beginJoin('ahead')
  key.settleJoin('ahead', 9, false)
  for (let repair = 0; repair < 2; repair += 1) key.resume(at(2), { toldBefore: key.hold() })
  key.hear(at(4))
  expect(broadcasts.slice(1)).toEqual([
    { update: { ...at(2), reset: true }, except: [] },
    { update: at(4), except: [] },
  ])
})

test('[S5] who wrote what was fetched is left out, unless there is something newer', () => {
  const { key, broadcasts } = createKey()
  const writer = { id: 'w', version: 1 }
  for (const version of [1, 2]) {
    key.hold()
    key.resume(at(version), { writer })
  }
  expect(broadcasts).toEqual([
    { update: at(1), except: ['w'] },
    { update: at(2), except: [] },
  ])
})

test('[F2] who does not know what became of its write is told what was fetched, its own included', () => {
  const { key, broadcasts, connect } = createKey()
  for (const [version, doubting] of [
    [1, ['w']],
    [2, ['other']],
    [3, ['w', 'other']],
  ] as const) {
    for (const id of doubting) key.doubt(connect(id))
    key.hold()
    key.resume(at(version), { writer: { id: 'w', version } })
  }
  expect(broadcasts.map(({ except }) => except)).toEqual([[], ['w'], []])
})

test('[F2] who is in doubt is told once what is there, nothing that is older, and nothing after it has left', () => {
  const { key, broadcasts, connect } = createKey()
  const [doubting, left] = [connect('doubting'), connect('left')]
  key.hear(at(5))
  for (const connection of [doubting, left]) key.doubt(connection)
  key.leave('left')
  for (let repair = 0; repair < 2; repair += 1) key.resume(at(5), { toldBefore: key.hold() })
  expect(updatesOf(doubting)).toEqual([at(5)])
  key.doubt(doubting)
  key.hold()
  key.resume(at(4))
  expect(updatesOf(doubting)).toEqual([at(5)])
  expect(updatesOf(left)).toEqual([])
  expect(broadcasts).toHaveLength(1)
})

test('[S2] who leaves is waited for no longer', () => {
  const { key } = createKey()
  key.beginWrite('a')
  expect(key.idle).toBe(false)
  key.leave('a')
  expect(key.idle).toBe(true)
})
