import { RealtimeError, type Entry, type EntryPage, type JsonValue, type Reply, type StateUpdate } from '@tutti/protocol'
import { eventually, seededRandom } from '@tutti/test-kit'
import { describe, expect, test } from 'vitest'
import type { ModelConnection } from './model-cluster.ts'
import { createModel as createStateModel, settled } from './state-model.ts'

function createModel(options?: { pageSize: number }) {
  const model = createStateModel(options)
  let repairs = 0
  return {
    ...model,
    get repairs() {
      return repairs
    },
    repair: () => {
      repairs += 1
      return model.delivery.repair()
    },
    ask: (connection: ModelConnection, message: object) => model.request('storage:subscribe', connection, message),
    leave: (connection: ModelConnection, message: object) => model.request('storage:unsubscribe', connection, message),
    set: (connection: ModelConnection, key: string, value: JsonValue) => model.set(connection, value, key),
  }
}

type Model = ReturnType<typeof createModel>

const updatesOf = ({ received }: ModelConnection): unknown[] =>
  received.filter(({ name }) => name === 'storage:updated').map(({ payload }) => payload)
const repliesOf = ({ received }: ModelConnection): unknown[] =>
  received.filter(({ name }) => name === 'reply').map(({ payload }) => payload)

async function subscribed(model: Model, id: string, prefix = 'p:'): Promise<ModelConnection> {
  const connection = model.connect(id)
  model.ask(connection, { prefix })
  await model.flush()
  connection.received.length = 0
  return connection
}

describe('a prefix', () => {
  test('[S17] is answered with its entries, then receives live changes', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    model.store.commit('p:1', { value: 'one' })
    model.store.commit('p:deep:2', { value: 'two' })
    model.store.commit('other:1', { value: 'elsewhere' })
    model.ask(watcher, { prefix: 'p:' })
    await model.flush()
    expect(repliesOf(watcher)).toEqual([
      {
        ok: true,
        entries: [
          { key: 'p:1', version: 1, value: 'one' },
          { key: 'p:deep:2', version: 2, value: 'two' },
        ],
      },
    ])
    model.store.commit('p:3', { value: 'three' })
    model.store.commit('p:1', { value: 'changed' })
    model.store.commit('p', { value: 'not below' })
    model.store.commit('p:deep:2', { removed: true })
    await model.flush()
    expect(updatesOf(watcher)).toEqual([
      { key: 'p:3', version: 4, value: 'three' },
      { key: 'p:1', version: 5, value: 'changed' },
      { key: 'p:deep:2', version: 7, removed: true },
    ])
  })

  test('[C2] returns only differences from the named versions, including removals', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    for (const key of ['p:same', 'p:other', 'p:gone', 'p:new']) model.store.commit(key, { value: key })
    model.store.commit('p:gone', { removed: true })
    model.ask(watcher, { prefix: 'p:', versions: { 'p:same': 1, 'p:other': 1, 'p:gone': 3, 'p:never': 9 } })
    await model.flush()
    expect(repliesOf(watcher)).toEqual([
      {
        ok: true,
        entries: [
          { key: 'p:new', version: 4, value: 'p:new' },
          { key: 'p:other', version: 2, value: 'p:other' },
          { key: 'p:gone', version: 5, removed: true },
          { key: 'p:never', version: 0, removed: true },
        ],
      },
    ])
  })

  test('[C2] a removed key is reported with the page that it would belong to', async () => {
    const model = createModel({ pageSize: 2 })
    const watcher = model.connect('watcher')
    for (const key of ['p:b', 'p:d', 'p:f']) model.store.commit(key, { value: key })
    const versions = { 'p:a': 8, 'p:c': 8, 'p:e': 8 }
    model.ask(watcher, { prefix: 'p:', versions })
    await model.flush()
    model.ask(watcher, { prefix: 'p:', versions, after: 'p:d' })
    await model.flush()
    const pages = repliesOf(watcher) as EntryPage[]
    expect(pages.map(({ entries, after }) => [entries.map(({ key }) => key), after])).toEqual([
      [['p:b', 'p:d', 'p:a', 'p:c'], 'p:d'],
      [['p:f', 'p:e'], undefined],
    ])
  })

  test('[S17] a page that would be larger than a message is cut', async () => {
    const model = createModel()
    const watcher = model.connect('watcher')
    for (const key of ['p:1', 'p:2', 'p:3']) model.store.commit(key, { value: 'x'.repeat(400_000) })
    model.ask(watcher, { prefix: 'p:' })
    await model.flush()
    const [page] = repliesOf(watcher) as EntryPage[]
    expect([page?.entries.map(({ key }) => key), page?.after]).toEqual([['p:1', 'p:2'], 'p:2'])
  })

  test('[S17] a connection receives a change once, by key, prefix or several prefixes', async () => {
    const model = createModel()
    const watcher = await subscribed(model, 'watcher', 'p:')
    model.ask(watcher, { prefix: 'p:q:' })
    model.ask(watcher, { keys: [{ key: 'p:q:1' }] })
    await model.flush()
    watcher.received.length = 0
    model.store.commit('p:q:1', { value: 1 })
    model.store.commit('p:q:2', { value: 2 })
    await model.flush()
    expect(updatesOf(watcher)).toEqual([
      { key: 'p:q:1', version: 1, value: 1 },
      { key: 'p:q:2', version: 2, value: 2 },
    ])
    model.leave(watcher, { keys: [{ key: 'p:q:1' }] })
    model.leave(watcher, { prefix: 'p:' })
    await model.flush()
    watcher.received.length = 0
    model.store.commit('p:q:1', { value: 3 })
    model.store.commit('p:other', { value: 4 })
    await model.flush()
    expect(updatesOf(watcher)).toEqual([{ key: 'p:q:1', version: 3, value: 3 }])
  })

  test('[S2] that is abandoned delivers nothing more and leaves no state', async () => {
    const model = createModel()
    const watcher = await subscribed(model, 'watcher')
    model.store.commit('p:1', { value: 1 })
    await model.flush()
    model.leave(watcher, { prefix: 'p:' })
    await model.flush()
    watcher.received.length = 0
    model.store.commit('p:1', { value: 2 })
    await model.flush()
    expect(watcher.received).toEqual([])
    const repaired = model.repair()
    expect(model.store.answerNext()).toBe(false)
    await repaired
  })

  test('[S5] a large value is read only for subscribers of its prefix', async () => {
    const model = createModel()
    const watcher = await subscribed(model, 'watcher')
    model.store.commit('p:1', { value: 'large' }, { large: true })
    model.store.commit('other', { value: 'large' }, { large: true })
    model.store.announceNext()
    model.store.announceNext()
    expect(model.store.answerNext()).toBe(true)
    expect(model.store.answerNext()).toBe(false)
    await settled()
    expect(updatesOf(watcher)).toEqual([{ key: 'p:1', version: 1, value: 'large' }])
  })

  test('[S2] a writer does not receive its own change below its prefix, others do', async () => {
    const model = createModel()
    const [writer, watcher] = [await subscribed(model, 'writer'), await subscribed(model, 'watcher')]
    model.set(writer, 'p:new', 1)
    await model.flush()
    expect(writer.received).toEqual([{ name: 'reply', payload: { ok: true, version: 1 } }])
    expect(updatesOf(watcher)).toEqual([{ key: 'p:new', version: 1, value: 1 }])
  })

  test('[F2] a writer in doubt below its prefix is notified once the store is readable', async () => {
    const model = createModel()
    const writer = await subscribed(model, 'writer')
    model.store.failure = new RealtimeError('OUTCOME_UNKNOWN')
    model.set(writer, 'p:1', 7)
    await settled()
    model.store.loseNext()
    await model.flush()
    expect(updatesOf(writer)).toEqual([])
    const repaired = model.repair()
    await model.flush()
    await repaired
    expect(updatesOf(writer)).toEqual([{ key: 'p:1', version: 1, value: 7 }])
  })

  test('[S2] one that cannot be listed is refused, an earlier one continues', async () => {
    const model = createModel()
    const [old, fresh] = [await subscribed(model, 'old'), model.connect('fresh')]
    model.store.away = 'UNAVAILABLE'
    for (const connection of [old, fresh]) model.ask(connection, { prefix: 'p:' })
    await settled()
    model.store.commit('p:1', { value: 'meanwhile' })
    model.store.announceNext()
    await model.flush()
    const refused = { ok: false, error: expect.objectContaining({ code: 'UNAVAILABLE' }) }
    expect([repliesOf(old), repliesOf(fresh)]).toEqual([[refused], [refused]])
    model.store.commit('p:1', { value: 'later' })
    await model.flush()
    expect(updatesOf(old)).toEqual([
      { key: 'p:1', version: 1, value: 'meanwhile' },
      { key: 'p:1', version: 2, value: 'later' },
    ])
    expect(updatesOf(fresh)).toEqual([])
    expect([...fresh.subscriptions.all]).toEqual([])
  })

  test('[S17] concurrent requests are answered by two reads', async () => {
    const model = createModel()
    const watchers = Array.from({ length: 50 }, (_, index) => model.connect(`w${index}`))
    model.store.commit('p:1', { value: 1 })
    for (const watcher of watchers.slice(0, 25)) model.ask(watcher, { prefix: 'p:' })
    await settled()
    for (const watcher of watchers.slice(25)) model.ask(watcher, { prefix: 'p:' })
    await model.flush()
    for (const watcher of watchers) expect(repliesOf(watcher)).toEqual([{ ok: true, entries: [{ key: 'p:1', version: 1, value: 1 }] }])
    expect(model.store.listings).toBe(2)
  })
})

describe('after something may have been missed', () => {
  test('[F3] changes missed below a prefix are delivered', async () => {
    const model = createModel({ pageSize: 2 })
    for (const key of ['p:1', 'p:2', 'p:3']) model.store.commit(key, { value: 'old' })
    const watcher = model.connect('watcher')
    model.ask(watcher, { prefix: 'p:' })
    await model.flush()
    model.ask(watcher, { prefix: 'p:', after: 'p:2' })
    await model.flush()
    watcher.received.length = 0
    model.store.commit('p:2', { value: 'new' })
    model.store.commit('p:3', { removed: true })
    for (const key of ['p:0', 'p:9']) model.store.commit(key, { value: 'created' })
    for (let lost = 0; lost < 4; lost += 1) model.store.loseNext()
    const repaired = model.repair()
    await model.flush()
    await repaired
    expect(updatesOf(watcher).toSorted((a, b) => ((a as Entry).key < (b as Entry).key ? -1 : 1))).toEqual([
      { key: 'p:0', version: 6, value: 'created' },
      { key: 'p:2', version: 4, value: 'new' },
      { key: 'p:3', version: 5, removed: true },
      { key: 'p:9', version: 7, value: 'created' },
    ])
  })

  test('[S3] a store that lost entries resets subscribers of their prefix', async () => {
    const model = createModel()
    const watcher = await subscribed(model, 'watcher')
    model.store.commit('p:1', { value: 'kept' })
    model.store.commit('p:1', { value: 'lost' })
    await model.flush()
    model.store.entries.set('p:1', { key: 'p:1', version: 1, value: 'kept' })
    const repaired = model.repair()
    await model.flush()
    await repaired
    expect(updatesOf(watcher).at(-1)).toEqual({ key: 'p:1', version: 1, value: 'kept', reset: true })
  })

  test('[F3] a failed listing is repeated until it succeeds, and reported once', async () => {
    const model = createModel()
    const watcher = await subscribed(model, 'watcher')
    model.store.commit('p:1', { value: 'missed' })
    model.store.loseNext()
    model.store.away = 'UNAVAILABLE'
    const repaired = model.repair()
    await model.flush()
    await repaired
    await eventually(() => expect(model.store.answerNext()).toBe(true))
    model.store.away = false
    await eventually(async () => {
      await model.flush()
      expect(updatesOf(watcher)).toEqual([{ key: 'p:1', version: 1, value: 'missed' }])
    })
    expect(model.errors).toEqual([expect.objectContaining({ code: 'UNAVAILABLE' })])
  })
})

/** A client that lists a prefix page by page and follows it, as described in docs/protocol.md. It records violations. */
class FollowingClient {
  readonly connection: ModelConnection
  readonly shown = new Map<string, Entry>()
  readonly faults: string[] = []
  isComplete = false
  private readonly model: Model
  readonly prefix: string
  private taken = 0
  private after: string | undefined
  /** The updates of a key since a reply with its version `from`. */
  readonly since = new Map<string, { from: number; told: number[] }>()
  /** Writes without a reply, in order. */
  private readonly writes: Entry[] = []

  constructor(model: Model, id: string, prefix: string) {
    this.model = model
    this.prefix = prefix
    this.connection = model.connect(id)
    this.ask()
  }

  private ask(): void {
    this.model.ask(this.connection, { prefix: this.prefix, after: this.after, versions: this.versions() })
  }

  versions(): Record<string, number> {
    return Object.fromEntries([...this.shown].map(([key, { version }]) => [key, version]))
  }

  /** Requests everything again, with its known versions. */
  askAgain(): void {
    if (!this.isComplete) return
    this.isComplete = false
    this.ask()
  }

  /** Writes, one change of a key at a time. */
  write(key: string, value: number): void {
    if (this.writes.some((write) => write.key === key)) return
    if (value % 3 === 0) {
      this.writes.push({ key, version: 0, removed: true })
      this.model.remove(this.connection, key)
    } else {
      this.writes.push({ key, version: 0, value })
      this.model.set(this.connection, key, value)
    }
  }

  leave(): void {
    this.model.leave(this.connection, { prefix: this.prefix })
  }

  /** Processes its messages; true if another request followed. */
  take(): boolean {
    let asked = false
    for (; this.taken < this.connection.received.length; this.taken += 1) {
      const { name, payload } = this.connection.received[this.taken] ?? { name: 'reply', payload: {} }
      if (name === 'storage:updated') this.update(payload as StateUpdate)
      else asked = this.page(payload as Reply<Partial<EntryPage>>) || asked
    }
    return asked
  }

  private update(update: StateUpdate): void {
    const before = this.shown.get(update.key)
    // A repair may say once more that something is gone.
    const isRepeated = before?.version === update.version && 'removed' in before && 'removed' in update && this.model.repairs > 0
    if (before !== undefined && update.version <= before.version && !isRepeated)
      this.faults.push(`${JSON.stringify(update)} after ${before.version}`)
    this.shown.set(update.key, update as Entry)
    this.since.get(update.key)?.told.push(update.version)
  }

  private page(reply: Reply<Partial<EntryPage & Entry>>): boolean {
    if (!reply.ok) throw new Error(JSON.stringify(reply))
    const { entries, after, version } = reply
    if (entries === undefined) {
      const write = version === undefined ? undefined : this.writes.shift()
      const before = write && this.shown.get(write.key)?.version
      if (write === undefined || version === undefined) return false
      // It may have been read, for a large value or a repair, before it was answered.
      if (version < (before ?? 0) + (this.model.store.asked.length > 0 ? 0 : 1))
        this.faults.push(`own ${write.key} ${version} after ${before}`)
      this.shown.set(write.key, { ...write, version })
      if (this.since.has(write.key)) this.since.set(write.key, { from: version, told: [] })
      return false
    }
    for (const entry of entries) {
      const before = this.shown.get(entry.key)
      if (before !== undefined && entry.version < before.version) this.faults.push(`page ${JSON.stringify(entry)} after ${before.version}`)
      this.shown.set(entry.key, entry)
      this.since.set(entry.key, { from: entry.version, told: [] })
    }
    this.after = after
    this.isComplete = after === undefined
    if (after !== undefined) this.ask()
    return after !== undefined
  }
}

describe('for any order of pages, changes, writes, joins and leaves', () => {
  test.each([
    { what: 'small values', largeOneIn: 0, lostOneIn: 0 },
    { what: 'large values', largeOneIn: 3, lostOneIn: 0 },
    { what: 'lost changes and repairs', largeOneIn: 4, lostOneIn: 5 },
  ])('[S2] [S3] [S17] each client goes forward only and ends on what is stored: $what', async ({ largeOneIn, lostOneIn }) => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = seededRandom(seed)
      const model = createModel({ pageSize: 1 + random.below(3) })
      const keys = ['p:a', 'p:b', 'p:c:1', 'p:c:2', 'p:d']
      const clients: FollowingClient[] = []
      const repairs: Promise<void>[] = []
      const writer = model.connect('outsider')
      for (const key of keys) if (random.below(2) === 0) model.store.commit(key, { value: 'before' })
      for (let step = 0; step < 70; step += 1) {
        const client = clients.length === 0 ? undefined : random.pick(clients)
        switch (random.below(11)) {
          case 0:
            if (clients.length < 4) clients.push(new FollowingClient(model, `c${step}`, random.pick(['p:', 'p:', 'p:c:'])))
            break
          case 1:
            if (random.below(3) === 0) client?.askAgain()
            break
          case 2:
          case 3: {
            const change = random.below(4) === 0 ? ({ removed: true } as const) : { value: step }
            model.store.commit(random.pick(keys), change, { large: largeOneIn > 0 && random.below(largeOneIn) === 0 })
            if (lostOneIn > 0 && random.below(lostOneIn) === 0) {
              model.store.loseNext()
              repairs.push(model.repair())
            }
            break
          }
          case 4:
            // Subscribers of keys, and writers, beside the subscribers of prefixes.
            if (random.below(2) === 0) model.ask(writer, { keys: [{ key: random.pick(keys) }] })
            else model.set(writer, random.pick(keys), step)
            break
          case 5:
          case 6:
            model.store.announceNext()
            break
          case 7:
            model.store.answerNext()
            break
          case 8:
            client?.write(random.pick(keys.filter((key) => key.startsWith(client.prefix))), step)
            break
          case 9:
            if (client === undefined || random.below(6) > 0) break
            clients.splice(clients.indexOf(client), 1)
            client.leave()
            break
          default:
            await settled()
        }
        for (const each of clients) each.take()
      }
      do await model.flush()
      while (clients.map((client) => client.take()).includes(true))
      if (lostOneIn > 0) {
        const repaired = model.repair()
        await model.flush()
        await Promise.all([repaired, ...repairs])
        for (const client of clients) client.take()
      }
      for (const client of clients) {
        const context = `seed ${seed}, ${client.connection.id}: ${JSON.stringify(client.connection.received)}`
        expect(client.faults, context).toEqual([])
        if (largeOneIn === 0) {
          for (const [key, { from, told }] of client.since) {
            const others = model.store.committed.filter((change) => change.key === key && change.writer !== client.connection.id)
            expect(told, `${key}, ${context}`).toEqual(others.map(({ version }) => version).filter((version) => version > from))
          }
        }
        const present = (entries: Iterable<Entry>): Entry[] =>
          [...entries]
            .filter((entry) => !('removed' in entry) && entry.key.startsWith(client.prefix))
            .map(({ key, version, ...rest }) => ({ key, version, value: 'value' in rest ? rest.value : null }))
            .toSorted((a, b) => (a.key < b.key ? -1 : 1))
        expect(present(client.shown.values()), context).toEqual(present(model.store.entries.values()))
      }
    }
  })
})
