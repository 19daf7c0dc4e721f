import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { manualClock } from './manual-clock.ts'
import { ModelServer } from './model-server.ts'
import { connectedClient } from './setup-client.ts'

// What is left over when a wait, a handle or a connection ends: it must neither stay, nor disturb what comes after it.

const away = (retryAfterMs?: number): RealtimeError => new RealtimeError('UNAVAILABLE', { retryAfterMs })

test('[C1] connect() while the next try is awaited makes one connection, and the awaited try is none', async () => {
  const { client, server, clock } = await connectedClient()
  server.link.cut()
  client.connection.connect()
  await server.flush()
  clock.advance(60_000)
  await server.flush()
  expect(client.connection.current.status).toBe('connected')
  expect(server.links).toHaveLength(2)
})

test('[S13] what a change or a subscription waits for ends with the connection: the next is asked at once', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  let isAway = true
  server.judge = () => (isAway ? away(60_000) : undefined)
  const done = handle.increment()
  const other = client.state('other')
  await server.flush()
  client.connection.disconnect()
  expect(clock.waiting).toBe(0)
  isAway = false
  server.write('other', 'there')
  client.connection.connect()
  await server.flush()
  await done
  expect(other.current).toMatchObject({ value: 'there', loading: false })
  // Nor is a refusal of something else a reason to ask again.
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
  client.state('bad')
  await server.flush()
  expect(clock.waiting).toBe(0)
})

test('[S12] what was sent and has no answer leaves no timer when the connection ends', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  void handle.increment()
  client.connection.disconnect()
  expect(clock.waiting).toBe(0)
})

test('[S12] a change is sent again for as long as the server remembers it', async () => {
  const { client, server, clock } = await connectedClient({}, new ModelServer(), manualClock(1_700_000_000_000))
  const handle = client.state('count', { default: 0 })
  await server.flush()
  const done = handle.increment()
  server.deliverUp(server.link)
  client.connection.disconnect()
  clock.advance(86_400_000)
  client.connection.connect()
  await server.flush()
  await done
  expect(server.logged('storage:increment')).toHaveLength(2)
  expect(server.value('count')).toBe(1)
})

test('[S2] a key that waits for its next try is not disturbed by one that comes in, nor the next wait longer for it', async () => {
  const { client, server, clock } = await connectedClient()
  let failing = 'a'
  server.judge = ({ name, payload }) =>
    name === 'storage:subscribe' && 'keys' in payload && payload.keys.some(({ key }) => key === failing) ? away() : undefined
  const first = client.state('a')
  await server.flush()
  const second = client.state('b')
  await server.flush()
  expect([first.current.loading, second.current.loading]).toEqual([true, false])
  expect(clock.nextMs).toBe(500)
  failing = 'c'
  clock.advance(500)
  await server.flush()
  expect(first.current.loading).toBe(false)
  client.state('c')
  await server.flush()
  expect(clock.nextMs).toBe(500)
})

test('[S15] a key that nobody uses is forgotten, whatever it waited for', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  server.judge = ({ name }) => (name === 'storage:get' ? away() : undefined)
  server.link.tell({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: {} } })
  await server.flush()
  expect(clock.waiting).toBe(1)
  handle.dispose()
  await server.flush()
  expect(clock.waiting).toBe(0)
})

test('[S15] a key that is being given up when the connection is lost is forgotten too', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const handle = client.state('count')
  await server.flush()
  handle.dispose()
  client.connection.disconnect()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S15] a handle that is disposed of twice ends nothing of another', async () => {
  const { client, server } = await connectedClient()
  const first = client.state('count')
  await server.flush()
  first.dispose()
  await server.flush()
  const second = client.state('count')
  first.dispose()
  await server.flush()
  server.write('count', 1)
  await server.flush()
  expect(second.current.value).toBe(1)
})

test('[S15] an answer that comes when its handle is gone takes nothing from the next one', async () => {
  const { client, server } = await connectedClient()
  const first = client.state('count')
  await server.flush()
  const refreshed = first.refresh()
  server.deliverUp(server.link)
  const [late] = server.link.down.splice(0)
  first.dispose()
  await server.flush()
  const second = client.state('count')
  late?.()
  await refreshed
  await server.flush()
  server.write('count', 5, 5)
  await server.flush()
  expect(second.current.value).toBe(5)
})

test('[S15] of two handles one is disposed of: nothing is asked for', async () => {
  const { client, server } = await connectedClient()
  const kept = client.state('count', { default: 0 })
  const gone = client.state('count', { default: 0 })
  const done = gone.update((value) => value + 1)
  gone.dispose()
  await server.flush()
  await done
  expect(kept.current.value).toBe(1)
  expect(server.logged('storage:get')).toEqual([])
})

test('[S9] an update made offline by a handle that is gone asks for its entry when the connection is there', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  client.connection.disconnect()
  const handle = client.state('count', { default: 0 })
  const done = handle.update((value) => value + 1)
  handle.dispose()
  client.connection.connect()
  await server.flush()
  await done
  expect(server.value('count')).toBe(2)
})

test('[C2] a key whose newest version was missed is asked for once when the connection is back', async () => {
  const { client, server } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  server.link.tell({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: { b: 2 } } })
  server.deliverDown(server.link)
  client.connection.disconnect()
  server.entries.set('doc', { key: 'doc', version: 9, value: { a: 1, b: 2 } })
  server.log.length = 0
  client.connection.connect()
  await server.flush()
  expect(server.log.map(({ name }) => name)).toEqual(['storage:subscribe'])
  expect(handle.current).toMatchObject({ version: 9 })
})

test('[S8] an entry that fails for now is asked for again, however few versions were heard of', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  let failures = 1
  server.judge = ({ name }) => (name === 'storage:get' && failures-- > 0 ? away() : undefined)
  server.entries.set('doc', { key: 'doc', version: 9, value: 'whole' })
  server.link.tell({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: {} } })
  await server.flush()
  clock.advance(500)
  await server.flush()
  expect(handle.current).toMatchObject({ value: 'whole', version: 9 })
})

test('[S14] what waits behind an acknowledged patch goes as soon as the entry that includes it is here', async () => {
  const { client, server } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state<object>('doc')
  await server.flush()
  server.link.keys.delete('doc')
  server.write('doc', { a: 2 })
  const patched = handle.patch({ b: 1 })
  const set = handle.set({ c: 1 })
  server.deliverUp(server.link)
  server.deliverDown(server.link)
  await patched
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:get'])
  server.link.tell({ name: 'storage:updated', payload: server.entry('doc') })
  server.deliverDown(server.link)
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:get', 'storage:set'])
  await server.flush()
  await set
})
