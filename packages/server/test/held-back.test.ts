import { describe, expect, test } from 'vitest'
import { HeldBack } from '../src/state/held-back.ts'

const change = (version: number) => ({ key: 'k', version, value: version })
const versions = (changes: { version: number }[]): number[] => changes.map(({ version }) => version)

describe('[S2] a connection that waits for a reply', () => {
  test('is left out of broadcasts, and gets what its entry does not hold', () => {
    const heldBack = new HeldBack()
    heldBack.beginJoin('a')
    expect(heldBack.take(change(1))).toEqual(['a'])
    expect(heldBack.take(change(2))).toEqual(['a'])
    expect(versions(heldBack.endJoin('a', 1, 2))).toEqual([2])
    expect(heldBack.size).toBe(0)
    heldBack.beginJoin('b')
    expect(heldBack.endJoin('b', 2, 2)).toEqual([])
    expect(heldBack.size).toBe(0)
  })

  test('whose entry is ahead is left out until others have caught up', () => {
    const heldBack = new HeldBack()
    heldBack.beginJoin('a')
    expect(heldBack.endJoin('a', 3, 1)).toEqual([])
    expect(heldBack.take(change(2))).toEqual(['a'])
    expect(heldBack.take(change(3))).toEqual(['a'])
    expect(heldBack.size).toBe(0)
    expect(heldBack.take(change(4))).toEqual([])
  })

  test('whose entry is ahead takes part at once in what is newer', () => {
    const heldBack = new HeldBack()
    heldBack.beginJoin('a')
    heldBack.endJoin('a', 3, 1)
    expect(heldBack.take(change(4))).toEqual([])
    expect(heldBack.size).toBe(0)
  })

  test('gets what is older than its write before the reply, up to the write itself, and the rest after it', () => {
    const heldBack = new HeldBack()
    const endWrite = heldBack.beginWrite('a')
    for (const version of [1, 2, 3]) heldBack.take(change(version))
    expect(versions(heldBack.beforeWritten('a', 2))).toEqual([1, 2])
    heldBack.take(change(4))
    expect(versions(endWrite(2, 4))).toEqual([3, 4])
    expect(heldBack.size).toBe(0)
  })

  test('with two writes gets each thing once, in its place', () => {
    const heldBack = new HeldBack()
    const endFirst = heldBack.beginWrite('a')
    const endSecond = heldBack.beginWrite('a')
    for (const version of [1, 2, 3, 4, 5]) heldBack.take(change(version))
    expect(versions(heldBack.beforeWritten('a', 2))).toEqual([1, 2])
    expect(endFirst(2, 5)).toEqual([])
    expect(versions(heldBack.beforeWritten('a', 4))).toEqual([3, 4])
    expect(versions(endSecond(4, 5))).toEqual([5])
  })

  test('whose write was refused without an entry gets everything after the reply', () => {
    const heldBack = new HeldBack()
    const endWrite = heldBack.beginWrite('a')
    heldBack.take(change(1))
    expect(heldBack.beforeWritten('a', -1)).toEqual([])
    expect(versions(endWrite(-1, 1))).toEqual([1])
  })

  test('for its entry and for a write gets nothing before both, and what it wrote is known', () => {
    const heldBack = new HeldBack()
    expect(heldBack.writtenBy('a')).toBe(-1)
    heldBack.beginJoin('a')
    const endWrite = heldBack.beginWrite('a')
    expect(heldBack.writtenBy('a')).toBe(-1)
    heldBack.take(change(1))
    heldBack.noteWritten('a', 2)
    heldBack.noteWritten('a', -1)
    expect(heldBack.writtenBy('a')).toBe(2)
    expect(heldBack.beforeWritten('a', 2)).toEqual([])
    expect(endWrite(2, 1)).toEqual([])
    heldBack.take(change(3))
    expect(versions(heldBack.endJoin('a', 2, 3))).toEqual([3])
  })

  test('and has left is forgotten, also when it comes back before the reply to its write', () => {
    const heldBack = new HeldBack()
    const endWrite = heldBack.beginWrite('a')
    heldBack.delete('a')
    expect(heldBack.size).toBe(0)
    expect(heldBack.beforeWritten('a', 1)).toEqual([])
    expect(endWrite(1, 1)).toEqual([])
    heldBack.noteWritten('a', 1)
    expect(heldBack.writtenBy('a')).toBe(-1)
    heldBack.beginJoin('a')
    expect(endWrite(2, 1)).toEqual([])
    heldBack.take(change(2))
    expect(versions(heldBack.endJoin('a', 1, 2))).toEqual([2])
  })
})

test('[S3] where the store has lost what somebody was told, only those who wait for a reply are still left out', () => {
  const heldBack = new HeldBack()
  heldBack.beginJoin('ahead')
  heldBack.endJoin('ahead', 9, 1)
  heldBack.beginJoin('waiting')
  heldBack.forgetTold()
  expect(heldBack.take(change(2))).toEqual(['waiting'])
})

test('[C4] of more than 64 changes that wait for one reply only the newest is kept, and is read where it is a patch', () => {
  const patch = (version: number) => ({ key: 'k', version, base: version - 1, patch: { a: version } })
  const heldAfter = (changes: Parameters<HeldBack['take']>[0][]) => {
    const heldBack = new HeldBack()
    const endWrite = heldBack.beginWrite('a')
    for (const one of changes) heldBack.take(one)
    return endWrite(-1, 1_000)
  }
  const patches = Array.from({ length: 64 }, (_, version) => patch(version + 1))
  expect(heldAfter(patches)).toEqual(patches)
  expect(heldAfter([...patches, change(65)])).toEqual([change(65)])
  expect(heldAfter([...patches, change(65), patch(66)])).toEqual([change(65), patch(66)])
  expect(heldAfter([...patches, patch(65)])).toEqual([{ key: 'k', version: 65 }])
  expect(heldAfter([...patches, patch(65), patch(66)])).toEqual([{ key: 'k', version: 66 }])
  expect(heldAfter([...patches, patch(65), change(66), patch(67)])).toEqual([change(66), patch(67)])
})
