import { collection } from '@tutti/client/collection'
import { expect, test, vi } from 'vitest'
import { connectedClient } from './setup-client.ts'

/** How often `run` turns a value into text. The model server never does. */
async function stringifyCalls(run: () => Promise<void>): Promise<number> {
  const stringify = vi.spyOn(JSON, 'stringify')
  await run()
  const calls = stringify.mock.calls.length
  stringify.mockRestore()
  return calls
}

const value = (n: number) => ({ title: 'Buy milk', tags: ['a', 'b'], place: { lat: n, lon: 2 } })

test.for([1, 5])('[S13] a set and its acknowledgement serialize at most 2 times: %i handles', async (count) => {
  const { client, server } = await connectedClient()
  server.write('todo', value(0))
  const handles = Array.from({ length: count }, () => client.state('todo'))
  await server.flush()
  const calls = await stringifyCalls(async () => {
    const done = handles[0]?.set(value(1))
    await server.flush()
    await done
  })
  expect(calls).toBeLessThanOrEqual(2)
  for (const handle of handles) expect(handle.current).toMatchObject({ value: value(1), pending: false, version: 2 })
})

test.for([1, 5])('[S13] an update by another client serializes nothing: %i handles', async (count) => {
  const { client, server } = await connectedClient()
  const handles = Array.from({ length: count }, () => client.state('todo'))
  await server.flush()
  const calls = await stringifyCalls(async () => {
    server.write('todo', value(1))
    await server.flush()
  })
  expect(calls).toBe(0)
  for (const handle of handles) expect(handle.current).toMatchObject({ value: value(1), version: 1 })
})

test('[S25] a set of an item serializes at most 2 times, an update by others never', async () => {
  const { client, server } = await connectedClient()
  const todos = collection(client, 'todos:')
  await server.flush()
  const own = await stringifyCalls(async () => {
    const done = todos.set('todos:1', value(1))
    await server.flush()
    await done
  })
  expect(own).toBeLessThanOrEqual(2)
  const others = await stringifyCalls(async () => {
    server.write('todos:1', value(2))
    await server.flush()
  })
  expect(others).toBe(0)
  expect(todos.current.items).toMatchObject([{ key: 'todos:1', value: value(2), pending: false }])
})

test('[S13] sending a change is not a change to show: listeners are called twice', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('todo')
  await server.flush()
  const shown: unknown[] = []
  handle.subscribe(({ pending }) => shown.push(pending))
  void handle.set(value(1))
  await server.flush()
  expect(shown).toEqual([true, false])
})

test('[S13] an equal value of another client stays the same object', async () => {
  const { client, server } = await connectedClient()
  const [first, second] = [client.state('todo'), client.state('todo')]
  server.write('todo', value(1))
  await server.flush()
  const before = first.current.value
  expect(second.current.value).toBe(before)
  server.write('todo', value(1))
  await server.flush()
  expect(first.current).toMatchObject({ version: 2 })
  expect(first.current.value).toBe(before)
  expect(second.current.value).toBe(before)
})

test('[S13] a value with another order of properties is a different value', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('todo')
  server.write('todo', { a: 1, b: 2 })
  await server.flush()
  server.write('todo', { b: 2, a: 1 })
  await server.flush()
  expect(JSON.stringify(handle.current.value)).toBe('{"b":2,"a":1}')
})

test('[S9] an update runs once to be shown on many handles', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const handles = Array.from({ length: 5 }, () => client.state<number>('count'))
  await server.flush()
  const run = vi.fn<(count: number | undefined) => number>((count = 0) => count + 1)
  void handles[0]?.update(run)
  expect(handles.map(({ current }) => current.value)).toEqual([2, 2, 2, 2, 2])
  await server.flush()
  // Checked once, shown once, sent once.
  expect(run).toHaveBeenCalledTimes(3)
})
