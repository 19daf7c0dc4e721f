import { RealtimeError, type EntryPage } from '@tutti/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Decision } from '../src/authorization/authorize.ts'
import { createAskingModel as createModel, updatesOf } from './asking-model.ts'
import type { ModelConnection } from './model-cluster.ts'
import { settled } from './state-model.ts'

afterEach(() => vi.useRealTimers())

const keysOf = (connection: ModelConnection): string[] => updatesOf(connection).map(({ key }) => key)
const pageOf = ({ received: [first] }: ModelConnection): string[] => {
  const { entries = [] } = (first?.payload ?? {}) as Partial<EntryPage>
  return entries.map(({ key }) => key)
}

/** Answers given by the test, by key. */
function later() {
  const answers: { key: string; answer: (answer: Decision) => void; refuse: (error: unknown) => void }[] = []
  const answerOf = (_user: string, key: string) => new Promise<Decision>((answer, refuse) => answers.push({ key, answer, refuse }))
  const next = (key: string) =>
    answers.splice(
      answers.findIndex((one) => one.key === key),
      1,
    )[0]
  return { answers, answerOf, next }
}

describe('a prefix that is allowed key by key', () => {
  const open = (_user: string, key: string): Decision => key.endsWith('open')

  test('[X2] [S17] contains and delivers only readable keys, changes and removals', async () => {
    const model = createModel(open)
    for (const key of ['p:1:open', 'p:1:shut', 'p:2:open', 'p:2:shut']) model.store.commit(key, { value: key })
    const watcher = await model.subscribed('w')
    expect(pageOf(watcher)).toEqual(['p:1:open', 'p:2:open'])
    for (const end of ['shut', 'open']) {
      model.store.commit(`p:1:${end}`, { value: 'changed' })
      model.store.commit(`p:2:${end}`, { removed: true })
      model.store.commit(`p:3:${end}`, { value: 'new' }, { large: true })
    }
    await model.flush()
    expect(keysOf(watcher).toSorted()).toEqual(['p:1:open', 'p:2:open', 'p:3:open'])
    watcher.received.length = 0
    model.subscribe(watcher, { prefix: 'p:', versions: { 'p:2:shut': 1, 'p:2:open': 1, 'p:1:open': 1, 'p:3:open': 1 } })
    await model.flush()
    expect(pageOf(watcher).toSorted()).toEqual(['p:1:open', 'p:2:open', 'p:3:open'])
    expect(new Set(model.asked).size).toBe(6)
    expect(model.errors).toEqual([])
  })

  test('[X2] [S17] its pages reveal nothing of unreadable keys in between', async () => {
    const model = createModel(open)
    model.store.pageSize = 2
    const keys = ['p:1:shut', 'p:2:shut', 'p:3:open', 'p:4:shut', 'p:5:shut', 'p:6:open', 'p:7:shut', 'p:8:shut']
    for (const key of keys) model.store.commit(key, { value: key })
    await model.flush()
    const watcher = await model.subscribed('w')
    expect(watcher.received).toMatchObject([{ name: 'reply', payload: { ok: true } }])
    expect(pageOf(watcher)).toEqual(['p:3:open', 'p:6:open'])
    expect(JSON.stringify(watcher.received)).not.toMatch(/shut|after/)
    // With rights to nothing the page is that of an empty prefix.
    const stranger = createModel(() => false)
    stranger.store.pageSize = 2
    for (const key of keys) stranger.store.commit(key, { value: key })
    await stranger.flush()
    expect((await stranger.subscribed('s')).received).toEqual([{ name: 'reply', payload: { ok: true, entries: [] } }])
  })

  test.each(['p:1', 'p:*'])('[X2] [S17] a page names no key where the right to %s ends while it is read', async (pattern) => {
    const rights = { ofPrefix: true as Decision }
    const model = createModel(
      () => false,
      () => rights.ofPrefix,
    )
    model.store.pageSize = 2
    for (const key of ['p:1', 'p:2', 'p:3', 'p:4']) model.store.commit(key, { value: key })
    await model.flush()
    const watcher = model.connect('w')
    model.subscribe(watcher)
    await settled()
    rights.ofPrefix = 'each'
    await model.revocations.revoke({ user: 'w', pattern })
    await model.flush()
    expect(watcher.received.filter(({ name }) => name !== 'server:revoked')).toEqual([
      { name: 'reply', payload: { ok: true, entries: [] } },
    ])
  })

  test('[X5] a search for readable keys ends with its connection, and stops nothing else', async () => {
    const model = createModel(() => false)
    model.store.pageSize = 1
    for (const key of ['p:1', 'p:2', 'p:3', 'p:4']) model.store.commit(key, { value: key })
    await model.flush()
    const watcher = model.connect('w')
    model.subscribe(watcher)
    await settled()
    model.store.answerNext()
    await settled()
    watcher.end()
    await model.flush()
    expect(model.store.listings).toBe(1)
  })

  test('[X2] nothing is sent before the answer; then changes in order, or none', async () => {
    const { answerOf, next } = later()
    const model = createModel(answerOf)
    const watcher = await model.subscribed('w')
    const tell = async (key: string, value: number) => {
      model.store.commit(key, { value })
      await model.flush()
    }
    for (const value of [1, 2]) for (const key of ['p:yes', 'p:no']) await tell(key, value)
    expect(updatesOf(watcher)).toEqual([])
    expect(model.asked).toEqual(['p:yes', 'p:no'])
    next('p:yes')?.answer(true)
    next('p:no')?.answer(false)
    await model.flush()
    for (const key of ['p:yes', 'p:no']) await tell(key, 3)
    expect(updatesOf(watcher).map(({ key, version }) => [key, version])).toEqual([1, 3, 5].map((version) => ['p:yes', version]))
    expect(model.asked).toEqual(['p:yes', 'p:no'])
  })

  test('[X2] an answer after the connection has left delivers nothing', async () => {
    const { answers, answerOf } = later()
    const model = createModel(answerOf)
    const watcher = await model.subscribed('w')
    model.store.commit('p:1', { value: 1 })
    await model.flush()
    model.unsubscribe(watcher)
    await model.flush()
    watcher.received.length = 0
    for (const { answer } of answers.splice(0)) answer(true)
    await model.flush()
    expect(watcher.received).toEqual([])
    expect(model.store.answerNext()).toBe(false)
  })

  test('[X2] revoked rights to a key end it, even while an answer is awaited', async () => {
    const rights = new Map([['p:1', true]])
    const { answers, answerOf } = later()
    const model = createModel((user, key) => (key === 'p:slow' ? answerOf(user, key) : rights.get(key) === true))
    const watcher = await model.subscribed('w')
    model.set(watcher, 'p:1', 'mine')
    await settled()
    model.store.commit('p:1', { value: 'theirs' })
    model.store.commit('p:slow', { value: 'theirs' })
    while (model.store.announceNext());
    await settled()
    rights.delete('p:1')
    await model.revocations.revoke({ user: 'w', pattern: 'p:1' })
    answers[0]?.answer(true)
    await model.flush()
    expect(updatesOf(watcher)).toEqual([])
    // It was requested before rights were revoked, so it is requested again.
    answers[1]?.answer(true)
    await model.flush()
    expect(keysOf(watcher)).toEqual(['p:slow'])
    expect(watcher.received.filter(({ name }) => name === 'server:revoked')).toEqual([])
  })

  test('[X2] an answer is discarded if rights are revoked right after it', async () => {
    for (let turns = 0; turns < 12; turns += 1) {
      let isAllowed = true
      const { answers, answerOf } = later()
      const model = createModel((user, key) => isAllowed && answerOf(user, key))
      const watcher = await model.subscribed('w')
      model.store.commit('p:1', { value: 1 })
      await model.flush()
      answers[0]?.answer(true)
      for (let turn = 0; turn < turns; turn += 1) await Promise.resolve()
      const before = updatesOf(watcher).length
      isAllowed = false
      void model.revocations.revoke({ user: 'w', pattern: 'p:1' })
      await model.flush()
      expect(updatesOf(watcher), `${turns} turns`).toHaveLength(before)
    }
  })

  test('[X2] an answer is valid for its specified time', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] })
    const rights = { allow: true, forMs: 100 }
    const model = createModel(() => rights)
    const watcher = await model.subscribed('w')
    model.store.commit('p:1', { value: 1 })
    await model.flush()
    rights.allow = false
    vi.setSystemTime(Date.now() + 101)
    model.store.commit('p:1', { value: 2 })
    await model.flush()
    expect(updatesOf(watcher)).toMatchObject([{ value: 1 }])
  })

  test('[X2] [S4] an undecided key is authorized again; other errors are reported', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const failures: Error[] = [new RealtimeError('UNAVAILABLE'), new RealtimeError('UNAVAILABLE')]
    const bug = new Error('a bug')
    const model = createModel((_user, key) => {
      const [failure] = key === 'p:bug' ? [bug] : failures.splice(0, 1)
      if (failure !== undefined) throw failure
      return true
    })
    const watcher = await model.subscribed('w')
    for (const key of ['p:1', 'p:bug']) model.store.commit(key, { value: 1 })
    await model.flush()
    expect(updatesOf(watcher)).toEqual([])
    await vi.advanceTimersByTimeAsync(500)
    await model.flush()
    expect(keysOf(watcher)).toEqual(['p:1'])
    expect(model.errors).toEqual([bug])
  })

  test('[X2] [S17] with all rights restored it receives everything once, unauthorized', async () => {
    let ofPrefix: Decision = 'each'
    const model = createModel(open, () => ofPrefix)
    const watcher = await model.subscribed('w')
    const change = async () => {
      for (const key of ['p:open', 'p:shut']) model.store.commit(key, { value: 1 })
      await model.flush()
    }
    await change()
    ofPrefix = true
    await model.revocations.revoke({ user: 'w', pattern: 'p:another' })
    await settled()
    await change()
    expect(keysOf(watcher)).toEqual(['p:open', 'p:open', 'p:shut'])
    ofPrefix = 'each'
    await model.revocations.revoke({ user: 'w', pattern: 'p:another' })
    await change()
    expect(keysOf(watcher)).toEqual(['p:open', 'p:open', 'p:shut', 'p:open'])
  })

  test('[X2] a key that is also subscribed directly is delivered once', async () => {
    const model = createModel(() => true)
    const watcher = await model.subscribed('w')
    model.subscribe(watcher, { keys: [{ key: 'p:1' }] })
    model.subscribe(watcher, { prefix: 'p:1:' })
    await model.flush()
    for (const key of ['p:1', 'p:1:2']) model.store.commit(key, { value: 1 })
    await model.flush()
    expect(keysOf(watcher)).toEqual(['p:1', 'p:1:2'])
  })
})
