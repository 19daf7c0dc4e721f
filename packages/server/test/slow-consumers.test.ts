import type { Entry } from '@tutti/protocol'
import { seededRandom } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import type { ModelConnection } from './model-cluster.ts'
import { createModel, settled, versionsShown } from './state-model.ts'

type Model = ReturnType<typeof createModel>

const slowDown = (model: Model, connection: ModelConnection): void => {
  connection.backlog.isFull = true
  model.delivery.changes.audience.slowConsumers.add(connection)
}

test('[C4] a slow consumer skips changes and receives each newest entry later', async () => {
  const model = createModel()
  const [slow, quick] = [model.connect('slow'), model.connect('quick')]
  for (const key of ['k', 'other', 'quiet']) {
    for (const connection of [slow, quick]) model.subscribe(connection, key)
  }
  await model.flush()
  slow.received.length = quick.received.length = 0
  slowDown(model, slow)
  for (let value = 1; value <= 50; value += 1) model.store.commit(value % 2 === 0 ? 'k' : 'other', { value })
  await model.flush()
  expect([slow.received.length, quick.received.length]).toEqual([0, 50])
  slow.backlog.drain()
  await model.flush()
  expect(slow.received.map(({ payload }) => payload)).toEqual([
    { key: 'other', version: 49, value: 49 },
    { key: 'k', version: 50, value: 50 },
  ])
  slow.backlog.drain()
  model.store.commit('k', { value: 'later' })
  await model.flush()
  expect(slow.received.at(-1)?.payload).toMatchObject({ version: 51, value: 'later' })
  expect(quick.received).toHaveLength(51)
})

test('[C4] entries are sent a few at a time, as they are read', async () => {
  const model = createModel()
  const slow = model.connect('slow')
  const keys = Array.from({ length: 60 }, (_, number) => `key:${number}`)
  for (const key of keys) model.subscribe(slow, key)
  await model.flush()
  slow.received.length = 0
  slowDown(model, slow)
  for (const key of keys) model.store.commit(key, { value: key })
  await model.flush()
  for (const brought of [20, 40, 60]) {
    slow.backlog.drain()
    await model.flush()
    expect(slow.received).toHaveLength(brought)
  }
  slow.backlog.drain()
  await model.flush()
  expect(new Set(slow.received.map(({ payload }) => (payload as Entry).key))).toEqual(new Set(keys))
})

test('[C4] a repeatedly changed entry is sent once, in its newest version', async () => {
  const model = createModel()
  const slow = model.connect('slow')
  const keys = Array.from({ length: 30 }, (_, number) => `key:${number}`)
  for (const key of [...keys, 'quiet']) model.subscribe(slow, key)
  await model.flush()
  slow.received.length = 0
  slowDown(model, slow)
  for (const key of keys) model.store.commit(key, { value: 'missed' })
  await model.flush()
  slow.backlog.drain()
  await model.flush()
  expect(slow.received).toHaveLength(20)
  for (const key of ['key:29', 'quiet']) model.store.commit(key, { value: 'again' })
  await model.flush()
  expect(slow.received.slice(20)).toMatchObject([{ payload: { key: 'quiet' } }])
  slow.backlog.drain()
  await model.flush()
  expect(slow.received.slice(21)).toHaveLength(10)
  expect(slow.received.map(({ payload }) => payload)).toContainEqual({ key: 'key:29', version: 31, value: 'again' })
})

test('[C4] changes that waited for a reply are deferred for a slow consumer', async () => {
  const model = createModel()
  const slow = model.connect('slow')
  model.subscribe(slow)
  await model.flush()
  slow.received.length = 0
  slowDown(model, slow)
  model.set(slow, 1)
  await settled()
  for (const value of [2, 3]) model.store.commit('k', { value })
  while (model.store.announceNext());
  await model.flush()
  expect(slow.received).toEqual([{ name: 'reply', payload: { ok: true, version: 1 } }])
  slow.backlog.drain()
  await model.flush()
  expect(slow.received.slice(1).map(({ payload }) => payload)).toEqual([{ key: 'k', version: 3, value: 3 }])
})

test('[C4] [S3] a reset is sent in any case', async () => {
  const model = createModel()
  const slow = model.connect('slow')
  model.store.commit('k', { value: 'old' })
  model.store.commit('k', { value: 'lost' })
  model.subscribe(slow)
  await model.flush()
  slowDown(model, slow)
  model.store.entries.set('k', { key: 'k', version: 1, value: 'old' })
  const repaired = model.delivery.repair()
  await model.flush()
  await repaired
  expect(slow.received.at(-1)?.payload).toEqual({ key: 'k', version: 1, value: 'old', reset: true })
})

test('[C4] a connection that left a key, or is closed, receives nothing', async () => {
  const model = createModel()
  const [leaver, gone] = [model.connect('leaver'), model.connect('gone')]
  for (const connection of [leaver, gone]) {
    model.subscribe(connection)
    await model.flush()
    slowDown(model, connection)
  }
  model.store.commit('k', { value: 1 })
  await model.flush()
  model.unsubscribe(leaver)
  gone.connected = false
  model.delivery.leaveAll(gone)
  await settled()
  for (const connection of [leaver, gone]) {
    connection.received.length = 0
    connection.backlog.drain()
  }
  await model.flush()
  expect([...leaver.received, ...gone.received]).toEqual([])
})

const seeds = Array.from({ length: 500 }, (_, seed) => seed)

test('[C4] [S3] [S4] in any order no connection goes back, and all end on the newest', async () => {
  for (const seed of seeds) {
    const random = seededRandom(seed)
    const model = createModel()
    const connections = ['a', 'b', 'c'].map((id) => model.connect(id))
    for (const connection of connections) model.subscribe(connection)
    await model.flush()
    for (let step = 0; step < 60; step += 1) {
      const connection = random.pick(connections)
      const steps = [
        () => void model.store.commit('k', { value: step }, { large: random.below(4) === 0 }),
        () => model.set(connection, step),
        () => slowDown(model, connection),
        () => connection.backlog.drain(),
        () => void model.store.announceNext(),
        () => void model.store.answerNext((count) => random.below(count)),
      ]
      random.pick(steps)()
      if (random.below(3) > 0) await settled()
    }
    for (let round = 0; round < 3; round += 1) {
      await model.flush()
      for (const connection of connections) connection.backlog.drain()
    }
    await model.flush()
    for (const connection of connections) {
      const versions = versionsShown(connection)
      const replies = connection.received.flatMap(({ payload }) => (payload as { version?: number }).version ?? [])
      expect(versions, `seed ${seed}`).toEqual(versions.toSorted((one, other) => one - other))
      expect(Math.max(0, ...versions, ...replies), `seed ${seed}`).toBe(model.store.entries.get('k')?.version ?? 0)
    }
  }
})
