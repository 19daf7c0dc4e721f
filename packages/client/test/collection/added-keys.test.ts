import { isKey } from '@tutti/protocol'
import { compareKeys } from '@tutti/protocol/internal'
import { expect, test } from 'vitest'
import { collection, type Collection, type CollectionOptions } from '../../src/collection/collection.ts'
import { manualClock } from '../manual-clock.ts'
import { ModelServer } from '../model-server.ts'
import { connectedClient } from '../setup-client.ts'

const HOUR_MS = 3_600_000
const YEAR_MS = 365 * 24 * HOUR_MS
const NOW = Date.UTC(2026, 0, 1)

const values = ({ current }: Collection<unknown>): unknown[] => current.items.map(({ value }) => value)

/** A key of the form that `add` makes. */
const keyAt = (time: number, random = 'zzzzzzzz'): string => `todos:${time.toString(36).padStart(9, '0')}${random}`

/** A collection of a client whose clock shows this time. */
async function collectionAt(server: ModelServer, time: number, options: CollectionOptions = {}) {
  const clock = manualClock(time)
  const { client } = await connectedClient({}, server, clock)
  const todos = collection<unknown>(client, 'todos:', options)
  await server.flush()
  return { client, clock, todos }
}

test.each([HOUR_MS, -HOUR_MS, -10 * YEAR_MS])(
  '[S25] items added alternately by clients keep their order, clocks off by %i ms',
  async (wrongBy) => {
    const server = new ModelServer()
    server.write('todos:settings', {}, NOW * 1_000)
    server.write('todos:settings', undefined)
    const { todos: right } = await collectionAt(server, NOW)
    const { todos: wrong } = await collectionAt(server, NOW + wrongBy)
    for (let number = 1; number <= 6; number++) {
      const todos = number % 2 === 0 ? wrong : right
      todos.add(number)
      await server.flush()
    }
    for (const todos of [right, wrong]) expect(values(todos)).toEqual([1, 2, 3, 4, 5, 6])
  },
)

test('[S25] an item sorts after the shown ones if only a page is loaded', async () => {
  const server = new ModelServer()
  server.pageSize = 2
  for (let number = 1; number <= 5; number++) server.write(keyAt(NOW + HOUR_MS + number), number)
  const { todos } = await collectionAt(server, NOW, { limit: 2 })
  expect(values(todos)).toEqual([1, 2])
  todos.add('added')
  await server.flush()
  expect(values(todos)).toEqual([1, 2, 'added'])
  todos.loadMore()
  await server.flush()
  expect(values(todos)).toContain(5)
  todos.add('last')
  expect(values(todos).at(-1)).toBe('last')
})

test('[S25] an item sorts after pending ones of another collection before any load', async () => {
  const { client, clock } = await collectionAt(new ModelServer(), NOW)
  client.connection.disconnect()
  const first = collection<unknown>(client, 'other:')
  first.add(1)
  clock.advance(HOUR_MS)
  first.add(2)
  const second = collection<unknown>(client, 'other:')
  second.add(3)
  second.add(4)
  first.add(5)
  expect(second.current.loading).toBe(true)
  expect(values(second)).toEqual([1, 2, 3, 4, 5])
})

test('[S25] keys of other origin or far in the future do not affect the order', async () => {
  const server = new ModelServer()
  const foreign = [
    'zzzzzzzzz',
    'zzzzzzzzzzzzzzzzz',
    `${'z'.repeat(8)}y00000000`,
    'z'.repeat(200),
    'settings',
    'list:00000000000000000',
    'ÿ',
  ]
  for (const name of foreign) server.write(`todos:${name}`, name, server.entries.size + 1)
  server.write(keyAt(NOW + 2 * YEAR_MS), 'far ahead')
  const { todos: one } = await collectionAt(server, NOW + HOUR_MS)
  const { todos: other } = await collectionAt(server, NOW)
  const keys: string[] = []
  for (const todos of [one, other, one, other]) {
    keys.push(todos.add('added'))
    await server.flush()
  }
  expect(keys).toEqual(keys.toSorted(compareKeys))
  for (const key of keys) {
    expect(key).toMatch(/^todos:[0-9a-z]{17}$/)
    expect(isKey(key)).toBe(true)
    expect(server.value(key)).toBe('added')
  }
  expect(values(one).slice(0, 4)).toEqual(['added', 'added', 'added', 'added'])
  expect(one.current.error).toBeUndefined()
})

test('[S25] items added by two clients at the same time have one order for all', async () => {
  const server = new ModelServer()
  const { todos: one } = await collectionAt(server, NOW)
  const { todos: other } = await collectionAt(server, NOW)
  for (let number = 0; number < 8; number++) {
    one.add(`one ${number}`)
    other.add(`other ${number}`)
  }
  await server.flush()
  const { todos: third } = await collectionAt(server, NOW)
  expect(values(one)).toEqual(values(third))
  expect(values(other)).toEqual(values(third))
  expect(values(third).filter((value) => String(value).startsWith('one'))).toEqual(
    Array.from({ length: 8 }, (_, number) => `one ${number}`),
  )
})
