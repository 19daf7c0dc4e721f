import { RealtimeError, type Entry } from '@tutti/protocol'
import { eventually, seededRandom } from '@tutti/test-kit'
import { describe, expect, test } from 'vitest'
import type { ModelConnection } from './model-cluster.ts'
import { createModel, settled, versionsShown } from './state-model.ts'

describe('subscribing while others write', () => {
  test('[S2] a change made between the read and its answer comes once, after the answer', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.subscribe(watcher)
    await settled()
    model.store.commit('k', { value: 'later' })
    model.store.announceNext()
    expect(watcher.received).toEqual([])
    await model.flush()
    expect(versionsShown(watcher)).toEqual([0, 1])
  })

  test('[S2] a change included in the entry is not sent when it arrives later', async () => {
    const model = createModel()
    const [first, second] = [model.connect('first'), model.connect('second')]
    model.subscribe(first)
    await model.flush()
    model.store.commit('k', { value: 'a' })
    model.subscribe(second)
    await settled()
    model.store.answerNext()
    await model.flush()
    expect(versionsShown(second)).toEqual([1])
    expect(versionsShown(first)).toEqual([0, 1])
  })

  test('[S2] two concurrent subscriptions of a connection never show an older entry', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.subscribe(watcher)
    model.subscribe(watcher)
    await settled()
    model.store.commit('k', { value: 'a' })
    await model.flush()
    const versions = versionsShown(watcher)
    expect(versions).toEqual(versions.toSorted((a, b) => a - b))
    expect(versions.at(-1)).toBe(1)
  })

  test('[S5] a large value is read once and sent as it is then', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.subscribe(watcher)
    await model.flush()
    model.store.commit('k', { value: 'large 1' }, { large: true })
    model.store.commit('k', { value: 'large 2' }, { large: true })
    model.store.announceNext()
    model.store.announceNext()
    await model.flush()
    expect(watcher.received.at(-1)).toEqual({ name: 'storage:updated', payload: { key: 'k', version: 2, value: 'large 2' } })
    expect(versionsShown(watcher)).toEqual([0, 2])
  })

  test('[S5] nothing is read for a key without subscribers, even after a started read', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.subscribe(watcher)
    await model.flush()
    model.store.commit('k', { value: 'large 1' }, { large: true })
    model.store.announceNext()
    model.unsubscribe(watcher)
    await model.flush()
    model.store.commit('k', { value: 'large 2' }, { large: true })
    model.store.announceNext()
    await settled()
    expect(model.store.answerNext()).toBe(false)
  })

  test('[S3] a repair sends missed changes, and nothing otherwise', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.subscribe(watcher)
    model.subscribe(watcher, 'quiet')
    await model.flush()
    model.store.commit('k', { value: 'missed' })
    const repaired = model.delivery.repair()
    model.store.answerNext()
    await repaired
    expect(watcher.received.slice(2)).toEqual([{ name: 'storage:updated', payload: { key: 'k', version: 1, value: 'missed' } }])
  })

  test('[S3] a store that lost the newer entry resets its subscribers to what it has', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.store.commit('k', { value: 'lost' })
    model.store.commit('k', { value: 'lost too' })
    model.subscribe(watcher)
    await model.flush()
    model.store.entries.set('k', { key: 'k', version: 1, value: 'old' })
    const repaired = model.delivery.repair()
    model.store.answerNext()
    await repaired
    expect(watcher.received.at(-1)).toEqual({ name: 'storage:updated', payload: { key: 'k', version: 1, value: 'old', reset: true } })
  })

  test('[S2] a subscription that cannot be read is refused, an earlier one continues', async () => {
    const model = createModel()
    const [old, fresh] = [model.connect('old'), model.connect('fresh')]
    model.subscribe(old)
    await model.flush()
    model.store.away = 'UNAVAILABLE'
    for (const connection of [old, fresh]) model.subscribe(connection)
    await settled()
    model.store.commit('k', { value: 'meanwhile' })
    model.store.announceNext()
    await model.flush()
    for (const connection of [old, fresh]) {
      expect(connection.received).toContainEqual({
        name: 'reply',
        payload: { ok: false, error: expect.objectContaining({ code: 'UNAVAILABLE' }) },
      })
    }
    model.store.away = false
    model.store.commit('k', { value: 'later' })
    await model.flush()
    expect(versionsShown(old)).toEqual([0, 1, 2])
    expect(versionsShown(fresh)).toEqual([])
    expect([...fresh.subscriptions.all]).toEqual([])
  })

  test('[S2] a connection that goes while its entry is read is not subscribed', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.subscribe(watcher)
    await settled()
    watcher.connected = false
    model.delivery.leaveAll(watcher)
    await model.flush()
    model.store.commit('k', { value: 'late' })
    await model.flush()
    expect(watcher.received.filter(({ name }) => name === 'storage:updated')).toEqual([])
    expect(model.hasReceivers('k')).toBe(false)
  })

  test('[S4] an unreadable entry is read again until it succeeds, and reported once', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    for (const key of ['k', 'other']) model.subscribe(watcher, key)
    await model.flush()
    model.store.away = 'UNAVAILABLE'
    model.store.commit('k', { value: 'large' }, { large: true })
    await model.flush()
    model.store.commit('other', { value: 'missed' })
    model.store.loseNext()
    const repaired = model.delivery.repair()
    await model.flush()
    await repaired
    await eventually(() => expect(model.store.answerNext()).toBe(true))
    model.store.away = false
    await eventually(async () => {
      await model.flush()
      expect(watcher.received.slice(2).map(({ payload }) => payload)).toEqual([
        { key: 'k', version: 1, value: 'large' },
        { key: 'other', version: 2, value: 'missed' },
      ])
    })
    expect(model.errors).toEqual([expect.objectContaining({ code: 'UNAVAILABLE' })])
  })

  test('[F3] a key that the store refuses for good keeps no other from being repaired', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    for (const key of ['k', 'refused']) model.subscribe(watcher, key)
    await model.flush()
    model.store.commit('k', { value: 'missed' })
    model.store.loseNext()
    model.store.refused.add('refused')
    const repaired = model.delivery.repair()
    await model.flush()
    await repaired
    expect(watcher.received.at(-1)).toEqual({ name: 'storage:updated', payload: { key: 'k', version: 1, value: 'missed' } })
    expect(model.errors).toEqual([expect.objectContaining({ code: 'WRONG_TYPE' })])
  })

  test('[F2] a writer in doubt is notified once the store can be read again', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    model.delivery.registry.open('k').sendNextEntryTo(writer)
    model.store.commit('k', { value: 'mine', writer: 'writer' })
    model.store.announceNext()
    expect(versionsShown(writer)).toEqual([0])
    const repaired = model.delivery.repair()
    model.store.answerNext()
    await repaired
    expect(writer.received.at(-1)).toEqual({ name: 'storage:updated', payload: { key: 'k', version: 1, value: 'mine' } })
  })

  test('[F2] a writer in doubt receives the read entry before buffered changes', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    model.delivery.registry.open('k').sendNextEntryTo(writer)
    model.store.commit('k', { value: 'mine', writer: 'writer' })
    model.store.announceNext()
    const repaired = model.delivery.repair()
    model.store.commit('k', { value: 'later' })
    model.store.announceNext()
    model.store.answerNext()
    await repaired
    expect(versionsShown(writer)).toEqual([0, 1, 2])
  })

  test('[S3] a repair that began before an acknowledgement reverts nothing', async () => {
    const model = createModel()
    const [writer, watcher] = [model.connect('writer'), model.connect('watcher')]
    for (const connection of [writer, watcher]) model.subscribe(connection)
    await model.flush()
    model.store.commit('k', { value: 'missed' })
    model.store.loseNext()
    const repaired = model.delivery.repair()
    model.delivery.registry.find('k')?.noteSent(model.store.commit('k', { value: 'acknowledged', writer: 'writer' }))
    model.store.answerNext()
    await repaired
    await model.flush()
    const missed = { name: 'storage:updated', payload: { key: 'k', version: 1, value: 'missed' } }
    expect(writer.received.slice(1)).toEqual([missed])
    expect(watcher.received.slice(1)).toEqual([missed, { name: 'storage:updated', payload: expect.objectContaining({ version: 2 }) }])
  })

  test('[S3] a writer whose acknowledged version was lost by the store is reset', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    model.store.commit('k', { value: 'kept' })
    model.store.announceNext()
    model.delivery.registry.find('k')?.noteSent(model.store.commit('k', { value: 'lost', writer: 'writer' }))
    model.store.loseNext()
    model.store.entries.set('k', { key: 'k', version: 1, value: 'kept' })
    const repaired = model.delivery.repair()
    model.store.answerNext()
    await repaired
    expect(writer.received.at(-1)).toEqual({ name: 'storage:updated', payload: { key: 'k', version: 1, value: 'kept', reset: true } })
  })
})

describe('for any order of reads, changes, joins and leaves', () => {
  test('[S2] each subscriber receives every change after its entry once, in order', async () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      await runSchedule(seed, 0, ({ entry, updates, committed, finished }, context) => {
        const expected = committed.filter((version) => version > entry)
        expect(updates, context).toEqual(finished ? expected : expected.slice(0, updates.length))
      })
    }
  })

  test('[S3] no subscriber receives an older version, and all end on the newest', async () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      await runSchedule(seed, 3, ({ entry, updates, committed, finished }, context) => {
        const shown = [entry, ...updates]
        expect(shown, context).toEqual([...new Set(shown)].toSorted((a, b) => a - b))
        if (finished) expect(shown.at(-1), context).toBeGreaterThanOrEqual(committed.at(-1) ?? 0)
      })
    }
  })
})

describe('a connection that writes', () => {
  test('[F2] without a reply receives the entry once the store can be read again', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    model.store.failure = new RealtimeError('OUTCOME_UNKNOWN')
    model.set(writer, 7)
    await settled()
    model.store.loseNext()
    await model.flush()
    expect(versionsShown(writer)).toEqual([0])
    const repaired = model.delivery.repair()
    model.store.answerNext()
    await repaired
    expect(writer.received.at(-1)).toEqual({ name: 'storage:updated', payload: { key: 'k', version: 1, value: 7 } })
  })

  test('[F2] without a reply receives its own write, however late it is applied', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    const earlier = model.delivery.repair()
    model.store.late = true
    model.set(writer, 7)
    await model.flush()
    await earlier
    expect(versionsShown(writer)).toEqual([0])
    model.store.commit('k', { value: 7, writer: 'writer' })
    await model.flush()
    expect(versionsShown(writer)).toEqual([0, 1])
    // Only the reply to a later one reports that one.
    model.store.late = false
    model.set(writer, 8)
    await model.flush()
    model.set(writer, 9)
    await settled()
    model.store.announceNext()
    await model.flush()
    expect(versionsShown(writer)).toEqual([0, 1])
    expect(model.delivery.registry.find('k')?.commonVersion).toBe(3)
    model.unsubscribe(writer)
    await model.flush()
    expect(model.delivery.registry.keys()).toEqual([])
  })

  test('[S6] and is refused for an entry receives earlier changes before the refusal', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    writer.received.length = 0
    model.store.commit('k', { value: 'theirs' })
    const entry = { key: 'k', version: 1, value: 'theirs' }
    model.store.failure = new RealtimeError('CONFLICT', { entry })
    model.set(writer, 2)
    model.store.announceNext()
    await settled()
    expect(writer.received).toEqual([])
    await model.flush()
    expect(writer.received.slice(0, 2)).toEqual([
      { name: 'storage:updated', payload: entry },
      { name: 'reply', payload: { ok: false, error: expect.objectContaining({ code: 'CONFLICT', entry }) } },
    ])
  })

  test('[X7] and fails internally receives the error, and changes continue', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    model.store.failure = new TypeError('on purpose')
    model.set(writer, 1)
    await model.flush()
    expect(model.errors).toEqual([new TypeError('on purpose')])
    model.store.commit('k', { value: 'later' })
    await model.flush()
    expect(versionsShown(writer)).toEqual([0, 2])
  })

  test('[S2] has the reply to its write before an entry that includes it', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.set(writer, 1)
    model.subscribe(writer)
    await settled()
    model.store.answerNext(() => 1)
    await settled()
    expect(writer.received).toEqual([])
    await model.flush()
    expect(writer.received.map(({ payload }) => payload)).toEqual([
      { ok: true, version: 1 },
      { ok: true, entries: [{ key: 'k', version: 1, value: 1 }] },
    ])
  })

  test('[S2] receives others’ changes, then its reply, then later changes', async () => {
    const model = createModel()
    const writer = model.connect('writer')
    model.subscribe(writer)
    await model.flush()
    writer.received.length = 0
    model.store.commit('k', { value: 'before' })
    model.set(writer, 2)
    model.store.commit('k', { value: 'after' })
    await settled()
    while (model.store.announceNext());
    expect(writer.received).toEqual([])
    await model.flush()
    expect(writer.received.map(({ payload }) => payload)).toEqual([
      { key: 'k', version: 1, value: 'before' },
      { ok: true, version: 2 },
      { key: 'k', version: 3, value: 'after' },
    ])
  })
})

test('[S2] receives everything in version order, for any order of writes and reads', async () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = seededRandom(seed)
    const model = createModel()
    const connections = Array.from({ length: 3 }, (_, index) => model.connect(`c${index}`))
    for (let step = 0; step < 50; step += 1) {
      const connection = random.pick(connections)
      switch (random.below(5)) {
        case 0:
          model.subscribe(connection)
          break
        case 1:
          model.set(connection, step)
          break
        case 2:
          model.store.announceNext()
          break
        case 3:
          // Replies arrive over one connection, in the order of their requests.
          model.store.answerNext()
          break
        default:
          await settled()
      }
    }
    await model.flush()
    for (const { id, received } of connections) {
      const told = received.flatMap(({ payload }) => {
        const { version, entries } = payload as { version?: number; entries?: Entry[] }
        return version === undefined
          ? (entries ?? []).map((entry) => ({ version: entry.version, answer: true }))
          : [{ version, answer: false }]
      })
      const context = `seed ${seed}, ${id}: ${JSON.stringify(received)}`
      for (const [index, { version, answer }] of told.entries()) {
        const before = Math.max(-1, ...told.slice(0, index).map((earlier) => earlier.version))
        // An entry may be known already; a change or an own write is sent once.
        if (answer) expect(version, context).toBeGreaterThanOrEqual(before)
        else expect(version, context).toBeGreaterThan(before)
      }
    }
  }
})

interface Shown {
  entry: number
  updates: number[]
  /** All versions written by others. */
  committed: number[]
  /** Everything that was on its way has arrived. */
  finished: boolean
}

/** One schedule of 4 connections on one key; one write in `largeOneIn` is too large to travel along (0: none). */
async function runSchedule(seed: number, largeOneIn: number, check: (shown: Shown, context: string) => void): Promise<void> {
  const random = seededRandom(seed)
  const model = createModel()
  const connections = Array.from({ length: 4 }, (_, index) => model.connect(`c${index}`))
  const writers = new Map<number, string>()
  const subscribed = new Set<ModelConnection>()
  const checkShown = (connection: ModelConnection, finished: boolean): void => {
    const [entry, ...updates] = versionsShown(connection)
    if (entry === undefined) return
    const committed = [...writers].filter(([, writer]) => writer !== connection.id).map(([version]) => version)
    check({ entry, updates, committed, finished }, `seed ${seed}, ${connection.id}: ${JSON.stringify(connection.received)}`)
  }
  for (let step = 0; step < 60; step += 1) {
    const connection = random.pick(connections)
    switch (random.below(6)) {
      case 0:
        if (!subscribed.has(connection)) model.subscribe(connection)
        subscribed.add(connection)
        break
      case 1:
        if (random.below(3) > 0 || !subscribed.delete(connection)) break
        model.unsubscribe(connection)
        await model.flush()
        checkShown(connection, false)
        connection.received.length = 0
        break
      case 2: {
        const change = random.below(4) === 0 ? ({ removed: true } as const) : { value: step }
        const large = largeOneIn > 0 && random.below(largeOneIn) === 0
        writers.set(model.store.commit('k', { ...change, writer: connection.id }, { large }), connection.id)
        break
      }
      case 3:
        model.store.announceNext()
        break
      case 4:
        model.store.answerNext((count) => random.below(count))
        break
      default:
        await settled()
    }
  }
  await model.flush()
  for (const connection of subscribed) checkShown(connection, true)
}
