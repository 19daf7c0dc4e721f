import { RealtimeError } from '@tutti/protocol'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ModelConnection } from './model-cluster.ts'
import { createModel, settled, versionsShown } from './state-model.ts'

const payloads = ({ received }: ModelConnection): unknown[] => received.map(({ payload }) => payload)
const entry = (key: string, version: number) => ({ key, version, value: version })

describe('the entries of a subscription', () => {
  /** Subscribes a connection whose writes make `written` while the first read is under way; each read gives the next of `reads`. */
  async function join(written: Record<string, number>, reads: number[][]) {
    const model = createModel()
    const connection = model.connect('c')
    const keys = Object.keys(written)
    let count = 0
    model.store.read = async () => {
      for (const key of keys) model.delivery.registry.find(key)?.noteWritten('c', written[key] ?? -1)
      count += 1
      if (count > 20) throw new Error('reads for ever')
      const versions = reads[Math.min(count, reads.length) - 1] ?? []
      return keys.map((key, index) => entry(key, versions[index] ?? 0))
    }
    model.request('storage:subscribe', connection, { keys: keys.map((key) => ({ key })) })
    await model.flush()
    return { count, versions: versionsShown(connection) }
  }

  test('[S2] are read again while one is older than the connection’s own write', async () => {
    const written = { a: 3, b: 5 }
    expect(
      await join(written, [
        [3, 4],
        [3, 5],
      ]),
    ).toEqual({ count: 2, versions: [3, 5] })
    expect(await join(written, [[3, 5]])).toEqual({ count: 1, versions: [3, 5] })
    expect(await join({ a: -1 }, [[0]])).toEqual({ count: 1, versions: [0] })
  })

  test('[S3] are sent as stored after five reads: the store has lost the write', async () => {
    expect(await join({ a: 9 }, [[1]])).toEqual({ count: 5, versions: [1] })
  })

  test('[S2] are read once for a connection that left, without an error', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.subscribe(watcher)
    await settled()
    model.delivery.leaveAll(watcher)
    await model.flush()
    expect(model.store.asked).toEqual([['k']])
    expect(model.errors).toEqual([])
  })
})

test('[S5] keys without subscribers here are not read', async () => {
  const model = createModel()
  const [one, other] = [model.connect('one'), model.connect('other')]
  for (const connection of [one, other]) for (const key of ['a', 'b']) model.subscribe(connection, key)
  one.subscriptions.add(['$channel:c'])
  await model.flush()
  model.unsubscribe(one, 'a')
  model.unsubscribe(other, 'a')
  model.delivery.leaveAll(one)
  await model.flush()
  expect([...one.subscriptions.all]).toEqual(['$channel:c'])
  model.store.asked.length = 0
  void model.delivery.repair()
  expect(model.store.asked).toEqual([['b']])
  await model.flush()
  model.delivery.leaveAll(other)
  void model.delivery.repair()
  expect(model.store.asked).toEqual([['b']])
  expect(model.hasReceivers('b')).toBe(false)
})

test('[C5] nothing is read any more once it is closed', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  const model = createModel()
  model.subscribe(model.connect('watcher'))
  await model.flush()
  model.store.away = 'UNAVAILABLE'
  void model.delivery.repair()
  await model.flush()
  expect(vi.getTimerCount()).toBe(1)
  model.close()
  expect(vi.getTimerCount()).toBe(0)
})

describe('a connection that writes', () => {
  test('[S2] receives the reply to its write before the requested entry of that key', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.set(writer, 1)
    model.get(writer)
    model.get(writer, 'other')
    model.subscribe(writer, 'another')
    await settled()
    for (let read = 0; read < 3; read += 1) model.store.answerNext(() => 1)
    await settled()
    expect(payloads(writer)).toEqual([
      { ok: true, key: 'other', version: 0, removed: true },
      { ok: true, entries: [{ key: 'another', version: 0, removed: true }] },
    ])
    await model.flush()
    expect(payloads(writer).slice(2)).toEqual([
      { ok: true, version: 1 },
      { ok: true, key: 'k', version: 1, value: 1 },
    ])
  })

  test('[S2] and is refused receives others’ changes after the refusal', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    model.store.commit('k', { value: 'theirs' })
    model.store.failure = new RealtimeError('UNAVAILABLE')
    model.set(writer, 2)
    model.store.announceNext()
    await model.flush()
    expect(writer.received.slice(1).map(({ name }) => name)).toEqual(['reply', 'storage:updated'])
    expect(versionsShown(writer)).toEqual([0, 1])
    // No write is in doubt, so nothing is sent again.
    void model.delivery.repair()
    await model.flush()
    expect(versionsShown(writer)).toEqual([0, 1])
  })

  for (const first of ['reply', 'storage:updated']) {
    test(`[S8] with others receives the value from the change, the ${first} first`, async () => {
      const model = createModel()
      const writer = model.connect('writer')
      model.subscribe(writer)
      await model.flush()
      model.store.together = true
      model.set(writer, 1)
      await settled()
      if (first === 'reply') model.store.answerNext()
      else model.store.announceNext()
      await model.flush()
      expect(writer.received[1]?.name).toBe(first)
      expect(versionsShown(writer)).toEqual([0, 1])
    })
  }

  test('[S3] does not receive the version of its reply again by a repair', async () => {
    const model = createModel()
    const [writer, watcher] = [model.connect('writer'), model.connect('watcher')]
    for (const connection of [writer, watcher]) model.subscribe(connection)
    await model.flush()
    model.set(writer, 1)
    await settled()
    model.store.answerNext()
    model.store.loseNext()
    await settled()
    void model.delivery.repair()
    await model.flush()
    expect(payloads(writer).slice(1)).toEqual([{ ok: true, version: 1 }])
    expect(versionsShown(watcher)).toEqual([0, 1])
  })

  test('[C4] [S4] and waits long receives the newest entry after many patches', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    model.store.failure = new RealtimeError('UNAVAILABLE')
    model.set(writer, 1)
    await settled()
    for (let base = 1; base <= 70; base += 1) {
      const version = model.store.commit('k', { value: { base } })
      model.store.loseNext()
      model.delivery.apply({ key: 'k', version, base, patch: { base } })
    }
    await model.flush()
    expect(versionsShown(writer)).toEqual([0, 71])
    expect(payloads(writer).at(-1)).toEqual({ key: 'k', version: 71, value: { base: 70 } })
  })

  test('[F2] and does not watch the key receives nothing but the reply', async () => {
    const model = createModel()
    const [writer, watcher] = [model.connect('writer'), model.connect('watcher')]
    model.subscribe(watcher)
    await model.flush()
    model.store.failure = new RealtimeError('OUTCOME_UNKNOWN')
    model.set(writer, 1)
    await model.flush()
    void model.delivery.repair()
    await model.flush()
    expect(writer.received.map(({ name }) => name)).toEqual(['reply'])
    expect(versionsShown(watcher)).toEqual([0, 1])
    expect(model.errors).toEqual([])
  })

  test('[S2] and leaves before its reply receives only the reply', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    model.set(writer, 1)
    model.store.commit('k', { value: 'theirs' })
    model.unsubscribe(writer)
    await settled()
    expect(writer.subscriptions.has('k')).toBe(false)
    await model.flush()
    expect(payloads(writer).slice(1)).toEqual([{ ok: true }, { ok: true, version: 1 }])
    expect(model.errors).toEqual([])
  })
})

test('[S2] the reply to a write from before a rejoin releases nothing of later ones', async () => {
  const model = createModel()
  const writer = model.connect('writer')
  model.subscribe(writer)
  await model.flush()
  model.set(writer, 1)
  model.unsubscribe(writer)
  model.subscribe(writer)
  await settled()
  model.set(writer, 2)
  await settled()
  model.store.commit('k', { value: 'theirs' })
  model.store.answerNext()
  await settled()
  // The entry is read, but not the second reply.
  model.store.answerNext()
  await settled()
  while (model.store.announceNext());
  expect(versionsShown(writer).filter((version) => version > 1)).toEqual([])
  await model.flush()
  // The entry that was read was older than the second write, so it was read again.
  expect(payloads(writer).slice(-2)).toEqual([
    { ok: true, version: 2 },
    { ok: true, entries: [{ key: 'k', version: 3, value: 'theirs' }] },
  ])
})

test('[S3] an entry lost by the store after its request is reset', async () => {
  const model = createModel()
  const [reader, watcher] = [model.connect('reader'), model.connect('watcher')]
  model.subscribe(watcher)
  await model.flush()
  model.store.commit('k', { value: 'lost' })
  model.store.loseNext()
  model.get(reader)
  await model.flush()
  model.store.entries.delete('k')
  void model.delivery.repair()
  await model.flush()
  expect(payloads(watcher).slice(1)).toEqual([{ key: 'k', version: 0, removed: true, reset: true }])
})

describe('[S2] a read that is sent after a write began', () => {
  const reads: Record<string, (model: ReturnType<typeof createModel>, connection: ModelConnection) => void> = {
    'of a key': (model, connection) => model.get(connection, 'p:k'),
    'for a subscription': (model, connection) => model.subscribe(connection, 'p:k'),
    'of a page': (model, connection) => model.request('storage:subscribe', connection, { prefix: 'p:' }),
  }
  test.each(Object.entries(reads))('%s is replied to after the write', async (_, read) => {
    const model = createModel()
    const [other, writer] = [model.connect('other'), model.connect('writer')]
    read(model, other)
    await settled()
    // This read waits for the one that is under way, because it may not share it.
    read(model, writer)
    await settled()
    model.set(writer, 1, 'p:k')
    await settled()
    model.store.answerNext()
    await settled()
    // The read sees the write, and its answer overtakes that of the write.
    model.store.answerNext(() => 1)
    await settled()
    await model.flush()
    expect(writer.received.map(({ payload }) => payload)).toMatchObject([{ version: 1 }, { ok: true }])
    expect(JSON.stringify(writer.received[1])).toContain('"version":1,"value":1')
  })
})
