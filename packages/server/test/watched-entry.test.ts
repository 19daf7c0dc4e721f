import type { Entry, JsonValue } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { createWatchedEntry } from '../src/state/watched-entry.ts'

/** A watched entry whose reads are completed by the test. */
function createEntry(listener?: (entry: Entry) => void) {
  const reads: PromiseWithResolvers<Entry>[] = []
  const told: Entry[] = []
  const errors: unknown[] = []
  const read = (): Promise<Entry> => {
    const answer = Promise.withResolvers<Entry>()
    reads.push(answer)
    return answer.promise
  }
  const watched = createWatchedEntry('k', read, listener ?? ((entry) => told.push(entry)), (error) => errors.push(error))
  const answer = async (entry: Entry): Promise<void> => {
    reads.shift()?.resolve(entry)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { watched, reads, told, errors, answer }
}

const at = (version: number, value: JsonValue): Entry => ({ key: 'k', version, value })

test('[S2] changes during a read are delivered after it, except older ones', async () => {
  const { watched, reads, told, answer } = createEntry()
  void watched.refresh()
  void watched.refresh()
  expect(reads).toHaveLength(1)
  watched.apply({ key: 'k', version: 2, value: 'older' })
  watched.apply({ key: 'k', version: 3, value: 'read' })
  watched.apply({ key: 'k', version: 4, value: 'newer' })
  expect(told).toEqual([])
  await answer(at(3, 'read'))
  expect(told).toEqual([at(3, 'read'), at(4, 'newer')])
})

test('[S8] a patch of the known entry is merged, any other and large values are read', async () => {
  const { watched, reads, told, answer } = createEntry()
  void watched.refresh()
  await answer({ key: 'k', version: 0, removed: true })
  expect(told).toEqual([])
  watched.apply({ key: 'k', version: 1, base: 0, patch: { a: 1 } })
  watched.apply({ key: 'k', version: 2, base: 1, patch: { b: 2 } })
  expect(told).toEqual([at(1, { a: 1 }), at(2, { a: 1, b: 2 })])
  expect(reads).toHaveLength(0)
  watched.apply({ key: 'k', version: 4, base: 3, patch: { c: 3 } })
  expect(reads).toHaveLength(1)
  await answer(at(4, { x: 1 }))
  watched.apply({ key: 'k', version: 5 })
  expect(reads).toHaveLength(1)
  await answer(at(5, 'large'))
  watched.apply({ key: 'k', version: 6, removed: true })
  expect(told.slice(2)).toEqual([at(4, { x: 1 }), at(5, 'large'), { key: 'k', version: 6, removed: true }])
})

test('[S3] an unchanged entry is not delivered again, one lost by the store is', async () => {
  const { watched, told, answer } = createEntry()
  for (const entry of [at(3, 'a'), at(3, 'a'), at(2, 'b')]) {
    void watched.refresh()
    await answer(entry)
  }
  expect(told).toEqual([at(3, 'a'), at(2, 'b')])
})

test('[S2] a read that fails is reported, and changes go on', async () => {
  const { watched, reads, told, errors } = createEntry()
  const refreshed = watched.refresh()
  watched.apply({ key: 'k', version: 1, value: 'meanwhile' })
  reads.shift()?.reject(new Error('away'))
  await refreshed
  watched.apply({ key: 'k', version: 2, value: 'later' })
  expect(errors).toEqual([new Error('away')])
  expect(told).toEqual([at(1, 'meanwhile'), at(2, 'later')])
})

test('[S2] an error of a listener is reported, and it receives the next change', () => {
  const heard: number[] = []
  const { watched, errors } = createEntry(({ version }) => {
    heard.push(version)
    throw new Error('on purpose')
  })
  watched.apply({ key: 'k', version: 1, value: 'a' })
  watched.apply({ key: 'k', version: 2, value: 'b' })
  expect(heard).toEqual([1, 2])
  expect(errors).toEqual([new Error('on purpose'), new Error('on purpose')])
})

test('[F3] a gap during a read is followed by another read', async () => {
  const { watched, reads, told, answer } = createEntry()
  void watched.refresh()
  void watched.refresh()
  await answer(at(1, 'before the gap'))
  expect(reads).toHaveLength(1)
  await answer(at(2, 'missed'))
  expect(told).toEqual([at(1, 'before the gap'), at(2, 'missed')])
  expect(reads).toHaveLength(0)
})
