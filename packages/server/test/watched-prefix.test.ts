import { applyPatch, type Entry, type EntryPage, type JsonValue } from '@tutti/protocol'
import type { StateChange } from '@tutti/storage-driver/contract'
import { eventually, seededRandom } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { createWatchedPrefix } from '../src/state/watched-prefix.ts'
import { serve } from './serve.ts'

test('[S2] server code watches all entries below a prefix, from the present ones on', async () => {
  const served = await serve()
  onTestFinished(() => served.close())
  const { state } = served.realtime
  await state.set('todos:1', 'present')
  await state.set('other:1', 'elsewhere')
  const seen: unknown[] = []
  const stop = state.watch('todos:*', ({ key, version: _version, ...rest }) => seen.push({ key, ...rest }))
  await eventually(() => expect(seen).toEqual([{ key: 'todos:1', value: 'present' }]))
  const client = await served.connect()
  await client.request('storage:set', { key: 'todos:2', value: { a: 1 } })
  await client.request('storage:patch', { key: 'todos:2', patch: { b: 2 } })
  await state.set('todos:deep:3', 1)
  await state.set('todos', 'not below')
  await state.set('other:1', 'still elsewhere')
  await state.remove('todos:1')
  await eventually(() =>
    expect(seen.slice(1)).toEqual([
      { key: 'todos:2', value: { a: 1 } },
      { key: 'todos:2', value: { a: 1, b: 2 } },
      { key: 'todos:deep:3', value: 1 },
      { key: 'todos:1', removed: true },
    ]),
  )
  // An entry that nothing but the watch observes ends in time.
  await state.set('todos:brief', 1, { ttlMs: 5 })
  await eventually(() => expect(seen.at(-1)).toEqual({ key: 'todos:brief', removed: true }))
  stop()
  const count = seen.length
  await state.set('todos:4', 1)
  await new Promise((resolve) => setImmediate(resolve))
  expect(seen).toHaveLength(count)
})

test('[S2] a prefix is one of names, and not all keys', async () => {
  const served = await serve()
  onTestFinished(() => served.close())
  const { realtime } = served
  for (const name of ['*', ':*', 'a*', 'a:*:*', '$a:*']) expect(() => realtime.state.watch(name, () => {})).toThrow(/[Ii]nvalid/)
  expect(() => realtime.as(null).state.watch('a:*', () => {})).toThrow(/[Ii]nvalid/)
})

/** A store whose reads and changes are delivered at random moments, the changes of each key in order. */
function createModelStore(seed: number) {
  const random = seededRandom(seed)
  const stored = new Map<string, Entry>()
  const due: (() => void)[] = []
  const changes: StateChange[] = []
  let version = 0
  const later = <Value>(value: Value): Promise<Value> => new Promise((resolve) => void due.push(() => resolve(value)))
  const keys = Array.from({ length: 6 }, (_, index) => `p:${index}`)
  const write = (): void => {
    const key = keys[random.below(keys.length)] ?? ''
    const before = stored.get(key)
    version += 1
    const base = before?.version ?? 0
    const current: JsonValue | undefined = before !== undefined && 'value' in before ? before.value : undefined
    const kind = random.below(4)
    if (kind === 0) {
      stored.set(key, { key, version, removed: true })
      changes.push({ key, version, removed: true })
    } else if (kind === 1) {
      const patch = { [`f${random.below(3)}`]: version }
      stored.set(key, { key, version, value: applyPatch(current, patch) })
      changes.push({ key, version, base, patch })
    } else {
      stored.set(key, { key, version, value: version })
      // A large value is not part of its change.
      changes.push(kind === 2 ? { key, version, value: version } : { key, version })
    }
  }
  const present = (): Entry[] => [...stored.values()].filter((entry) => 'value' in entry).toSorted((a, b) => (a.key < b.key ? -1 : 1))
  return {
    random,
    write,
    /** Loses changes that were not delivered yet. */
    lose: () => void changes.splice(0),
    present,
    list: (after?: string): Promise<EntryPage> => {
      const page = present().filter(({ key }) => after === undefined || key > after)
      const entries = page.slice(0, 2)
      const last = entries.at(-1)
      return later({ entries, ...(page.length > 2 && last !== undefined && { after: last.key }) })
    },
    read: (key: string): Promise<Entry> => later(stored.get(key) ?? { key, version: 0, removed: true }),
    takeChange: () => changes.shift(),
    settleRead: () => due.splice(random.below(Math.max(1, due.length)), 1)[0]?.(),
    isIdle: () => due.length === 0 && changes.length === 0,
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test.each([1, 2, 21, 33, 42, 1121, 2333, 2359])('[S4] a watched prefix ends with the stored entries, seed %i', async (seed) => {
  const store = createModelStore(seed)
  const shown = new Map<string, Entry>()
  const errors: unknown[] = []
  const watched = createWatchedPrefix({
    list: store.list,
    read: store.read,
    listener: (entry) => {
      expect(entry.version).toBeGreaterThan(shown.get(entry.key)?.version ?? 0)
      shown.set(entry.key, entry)
    },
    onError: (error) => errors.push(error),
  })
  for (let index = 0; index < 5; index += 1) store.write()
  void watched.refresh()
  for (let step = 0; step < 300; step += 1) {
    const action = store.random.below(10)
    if (action < 3) store.write()
    else if (action < 6) {
      const change = store.takeChange()
      if (change !== undefined) watched.apply(change)
    } else if (action < 9) store.settleRead()
    else if (store.random.below(4) === 0) {
      store.lose()
      void watched.refresh()
    }
    await turn()
  }
  for (let change = store.takeChange(); change !== undefined; change = store.takeChange()) watched.apply(change)
  do {
    store.settleRead()
    await turn()
  } while (!store.isIdle())
  expect(errors).toEqual([])
  const ends = [...shown.values()].filter((entry) => 'value' in entry).toSorted((a, b) => (a.key < b.key ? -1 : 1))
  expect(ends).toEqual(store.present())
})
