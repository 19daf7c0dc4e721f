import { describe, expect, onTestFinished, test } from 'vitest'
import { Cursors } from '../src/state/connection-cursor.ts'

const change = (version: number) => ({ key: 'k', version, value: version })
/** Cursors whose index is compared with them after the test. */
function createCursors(): Cursors {
  const indexed = new Set<string>()
  const cursors = new Cursors('k', {
    joining: () => [],
    hasPrefixAbove: () => false,
    add: (id) => void indexed.add(id),
    delete: (id) => void indexed.delete(id),
  })
  onTestFinished(() => {
    expect([...indexed].filter((id) => cursors.has(id))).toHaveLength(cursors.size)
    expect(indexed.size).toBe(cursors.size)
  })
  return cursors
}

const versions = (changes: { version: number }[]): number[] => changes.map(({ version }) => version)

describe('[S2] a connection that waits for a reply', () => {
  test('is left out of broadcasts, and gets what its entry does not hold', () => {
    const cursors = createCursors()
    cursors.begin('a', 'keyReply')
    expect(cursors.take(change(1))).toEqual(['a'])
    expect(cursors.take(change(2))).toEqual(['a'])
    expect(versions(cursors.end('a', 'keyReply', 1, 2))).toEqual([2])
    expect(cursors.size).toBe(0)
    cursors.begin('b', 'keyReply')
    expect(cursors.end('b', 'keyReply', 2, 2)).toEqual([])
    expect(cursors.size).toBe(0)
  })

  test('whose entry is ahead is left out until others have caught up', () => {
    const cursors = createCursors()
    cursors.begin('a', 'keyReply')
    expect(cursors.end('a', 'keyReply', 3, 1)).toEqual([])
    expect(cursors.take(change(2))).toEqual(['a'])
    expect(cursors.take(change(3))).toEqual(['a'])
    expect(cursors.size).toBe(0)
    expect(cursors.take(change(4))).toEqual([])
  })

  test('whose entry is ahead takes part at once in what is newer', () => {
    const cursors = createCursors()
    cursors.begin('a', 'keyReply')
    cursors.end('a', 'keyReply', 3, 1)
    expect(cursors.take(change(4))).toEqual([])
    expect(cursors.size).toBe(0)
  })

  test('receives changes before its write, then the reply, then later changes', () => {
    const cursors = createCursors()
    const write = cursors.beginWrite('a')
    for (const version of [1, 2, 3]) cursors.take(change(version))
    expect(versions(cursors.beforeWritten('a', 2))).toEqual([1, 2])
    cursors.take(change(4))
    expect(versions(cursors.endWrite('a', write, 2, 4))).toEqual([3, 4])
    expect(cursors.size).toBe(0)
  })

  test('with two writes gets each thing once, in its place', () => {
    const cursors = createCursors()
    const first = cursors.beginWrite('a')
    const second = cursors.beginWrite('a')
    for (const version of [1, 2, 3, 4, 5]) cursors.take(change(version))
    expect(versions(cursors.beforeWritten('a', 2))).toEqual([1, 2])
    expect(cursors.endWrite('a', first, 2, 5)).toEqual([])
    expect(versions(cursors.beforeWritten('a', 4))).toEqual([3, 4])
    expect(versions(cursors.endWrite('a', second, 4, 5))).toEqual([5])
  })

  test('whose write was refused without an entry gets everything after the reply', () => {
    const cursors = createCursors()
    const write = cursors.beginWrite('a')
    cursors.take(change(1))
    expect(cursors.beforeWritten('a', -1)).toEqual([])
    expect(versions(cursors.endWrite('a', write, -1, 1))).toEqual([1])
  })

  test('for its entry and for a write receives nothing before both', () => {
    const cursors = createCursors()
    expect(cursors.writtenBy('a')).toBe(-1)
    cursors.begin('a', 'keyReply')
    const write = cursors.beginWrite('a')
    expect(cursors.writtenBy('a')).toBe(-1)
    cursors.take(change(1))
    cursors.noteWritten('a', 2)
    cursors.noteWritten('a', -1)
    expect(cursors.writtenBy('a')).toBe(2)
    expect(cursors.beforeWritten('a', 2)).toEqual([])
    expect(cursors.endWrite('a', write, 2, 1)).toEqual([])
    cursors.take(change(3))
    expect(versions(cursors.end('a', 'keyReply', 2, 3))).toEqual([3])
  })

  test('and has left is forgotten, even if it returns before the reply to its write', () => {
    const cursors = createCursors()
    const write = cursors.beginWrite('a')
    cursors.delete('a')
    expect(cursors.size).toBe(0)
    expect(cursors.beforeWritten('a', 1)).toEqual([])
    expect(cursors.endWrite('a', write, 1, 1)).toEqual([])
    cursors.noteWritten('a', 1)
    expect(cursors.writtenBy('a')).toBe(-1)
    cursors.begin('a', 'keyReply')
    expect(cursors.endWrite('a', write, 2, 1)).toEqual([])
    cursors.take(change(2))
    expect(versions(cursors.end('a', 'keyReply', 1, 2))).toEqual([2])
  })
})

test('[S3] after the store lost data only waiting connections are left out', () => {
  const cursors = createCursors()
  cursors.begin('ahead', 'keyReply')
  cursors.end('ahead', 'keyReply', 9, 1)
  cursors.begin('waiting', 'keyReply')
  cursors.forgetSent()
  expect(cursors.take(change(2))).toEqual(['waiting'])
})

test('[C4] of more than 64 buffered changes only the newest is kept', () => {
  const patch = (version: number) => ({ key: 'k', version, base: version - 1, patch: { a: version } })
  const heldAfter = (changes: Parameters<Cursors['take']>[0][]) => {
    const cursors = createCursors()
    const write = cursors.beginWrite('a')
    for (const one of changes) cursors.take(one)
    return cursors.endWrite('a', write, -1, 1_000)
  }
  const patches = Array.from({ length: 64 }, (_, version) => patch(version + 1))
  expect(heldAfter(patches)).toEqual(patches)
  expect(heldAfter([...patches, change(65)])).toEqual([change(65)])
  expect(heldAfter([...patches, change(65), patch(66)])).toEqual([change(65), patch(66)])
  expect(heldAfter([...patches, patch(65)])).toEqual([{ key: 'k', version: 65 }])
  expect(heldAfter([...patches, patch(65), patch(66)])).toEqual([{ key: 'k', version: 66 }])
  expect(heldAfter([...patches, patch(65), change(66), patch(67)])).toEqual([change(66), patch(67)])
})
