import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import type { StateHandle } from '@tutti/client'
import type { ModelServer } from './model-server.ts'
import { codeOf, connectedClient, settled, startClient } from './setup-client.ts'

// What waits, for what, and what ends the wait.

const failing = (server: ModelServer, name: string, ...errors: RealtimeError[]): void => {
  server.judge = (request) => (request.name === name ? errors.shift() : undefined)
}

test('[S10] remove makes the key absent; with onlyIfUnchanged only if nobody else wrote', async () => {
  const { client, server } = await connectedClient()
  server.write('doc', 'old')
  const handle = client.state('doc', { default: 'none', onlyIfUnchanged: true })
  await server.flush()
  const done = handle.remove()
  expect(handle.current).toMatchObject({ value: 'none', pending: true })
  await server.flush()
  await done
  expect(server.logged('storage:remove')).toEqual([{ key: 'doc', ifVersion: 1, mutation: { number: 1 } }])
  expect(server.entry('doc')).toMatchObject({ removed: true, version: 2 })
  server.write('doc', 'theirs')
  const refused = handle.remove()
  await server.flush()
  expect(await codeOf(refused)).toBe('CONFLICT')
})

test('[S9] an update waits for the entry, and runs on it alone', async () => {
  const { client, server } = await connectedClient()
  server.write('list', ['a'])
  const handle = client.state<string[]>('list')
  const done = handle.update((list) => {
    if (!list) throw new Error('nothing is there')
    return [...list, 'mine']
  })
  expect(handle.current).toMatchObject({ value: undefined, pending: true, error: undefined })
  await server.flush()
  await done
  expect(server.logged('storage:set')).toEqual([{ key: 'list', value: ['a', 'mine'], ifVersion: 1, mutation: { number: 1 } }])
})

test('[S9] an update that throws on what is stored rejects with that, and what comes after it is sent', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 'text')
  const handle: StateHandle<unknown> = client.state<unknown>('count', { default: 0 })
  const mistake: unknown = 'no number'
  const update = handle.update((value) => {
    if (typeof value !== 'number') throw mistake
    return value + 1
  })
  const set = handle.set(5)
  await server.flush()
  expect(await codeOf(update)).toBe('INTERNAL')
  await expect(update).rejects.toMatchObject({ cause: mistake })
  await set
  expect(server.value('count')).toBe(5)
})

test('[S9] an update that throws on what is shown is refused at once', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 1 })
  await server.flush()
  const mistake = new TypeError('no')
  void handle.update(() => {
    throw mistake
  })
  expect(handle.current).toMatchObject({ pending: false, error: mistake })
})

test('[S9] an update of a key that may not be read is refused with the reason', async () => {
  const { client, server } = await connectedClient()
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('TOO_MANY_SUBSCRIPTIONS') : undefined)
  const handle = client.state('count', { default: 1 })
  const early = handle.update((value) => value + 1)
  await server.flush()
  expect(await codeOf(early)).toBe('TOO_MANY_SUBSCRIPTIONS')
  expect(await codeOf(handle.update((value) => value + 1))).toBe('TOO_MANY_SUBSCRIPTIONS')
})

test('[S9] an update whose handle is disposed at once asks for the entry by itself', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const handle = client.state('count', { default: 0 })
  const done = handle.update((value) => value + 1)
  handle.dispose()
  await server.flush()
  await done
  expect(server.value('count')).toBe(2)
})

test('[S14] what was changed offline is sent after reconnecting, also when nobody uses the key any more', async () => {
  const { client, server } = await connectedClient()
  client.connection.disconnect()
  const handle = client.state('count', { default: 0 })
  const done = handle.increment()
  handle.dispose()
  client.connection.connect()
  await server.flush()
  await done
  expect(server.value('count')).toBe(1)
  expect(server.logged('storage:subscribe')).toEqual([])
  // With the change the key itself is over.
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S7] an increment without a default of a number starts at 0', async () => {
  const { client, server } = await connectedClient()
  void client.state<unknown>('a').increment()
  void client.state<unknown>('b', { default: 'text' }).increment()
  await server.flush()
  expect(server.logged('storage:increment').map(({ initial }) => initial)).toEqual([0, 0])
})

test('[S13] while a refused change waits for its time nothing of its key is sent; the waits grow', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  failing(server, 'storage:increment', new RealtimeError('UNAVAILABLE'), new RealtimeError('UNAVAILABLE'))
  const done = [handle.increment()]
  const tries = async (): Promise<number> => {
    await server.flush()
    return server.logged('storage:increment').length
  }
  expect(await tries()).toBe(1)
  done.push(handle.increment(2))
  expect(await tries()).toBe(1)
  clock.advance(500)
  expect(await tries()).toBe(2)
  clock.advance(999)
  expect(await tries()).toBe(2)
  clock.advance(1)
  expect(await tries()).toBe(4)
  await Promise.all(done)
  expect(server.value('count')).toBe(3)
})

test('[F4] however long the store was away, what it refused is tried again within 2 s of its return', async () => {
  const { client, server, clock } = await connectedClient({ random: () => 0.999 })
  const handle = client.state('count', { default: 0 })
  await server.flush()
  let away = true
  server.judge = () => (away ? new RealtimeError('UNAVAILABLE') : undefined)
  const done = handle.increment()
  const fresh = client.state('other')
  for (let seconds = 0; seconds < 20; seconds += 1) {
    await server.flush()
    clock.advance(1_000)
  }
  await server.flush()
  away = false
  server.write('other', 'there')
  clock.advance(2_000)
  await server.flush()
  await done
  expect(fresh.current).toMatchObject({ value: 'there', loading: false })
})

test('[S8] an entry that is asked for and fails is asked for again', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  failing(server, 'storage:get', new RealtimeError('UNAVAILABLE'))
  server.entries.set('doc', { key: 'doc', version: 9, value: { whole: true } })
  const tell = (version: number): void =>
    server.link.tell({ name: 'storage:updated', payload: { key: 'doc', version, base: version - 1, patch: { c: 3 } } })
  tell(8)
  tell(9)
  await server.flush()
  expect(server.logged('storage:get')).toHaveLength(1)
  expect(handle.current).toMatchObject({ value: { a: 1 }, version: 1 })
  clock.advance(500)
  await server.flush()
  expect(handle.current).toMatchObject({ value: { whole: true }, version: 9 })
  expect(server.logged('storage:get')).toHaveLength(2)
})

test('[S8] an entry that can not be had is not asked for for ever', async () => {
  const { client, server, clock } = await connectedClient()
  server.write('doc', { a: 1 })
  const handle = client.state('doc')
  await server.flush()
  failing(server, 'storage:get', new RealtimeError('INTERNAL'))
  server.link.tell({ name: 'storage:updated', payload: { key: 'doc', version: 9, base: 8, patch: { c: 3 } } })
  await server.flush()
  expect(clock.waiting).toBe(0)
  expect(server.logged('storage:get')).toHaveLength(1)
  expect(handle.current).toMatchObject({ value: { a: 1 }, version: 1 })
  void handle.patch({ b: 2 })
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:patch'])
})

test('[S14] what is laid on an unsent change keeps its condition', async () => {
  const { client, server } = await connectedClient()
  server.write('doc', 'v1')
  const handle = client.state<string>('doc', { onlyIfUnchanged: true, strategy: 'manual' })
  await server.flush()
  const changes = [handle.set('a')]
  server.write('doc', 'theirs')
  await server.flush()
  changes.push(handle.set('b'))
  void handle.sync()
  await server.flush()
  expect(await Promise.all(changes.map(codeOf))).toEqual(['CONFLICT', 'CONFLICT'])
  expect(server.value('doc')).toBe('theirs')
})

test('[S16] sync settles when all is confirmed, and an error of before is not one of now', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 0, strategy: 'manual' })
  await server.flush()
  failing(server, 'storage:set', new RealtimeError('INVALID_VALUE'))
  void handle.set(1)
  const first = handle.sync()
  let over = false
  first.then(
    () => {},
    () => (over = true),
  )
  await settled()
  expect(over).toBe(false)
  await server.flush()
  expect(await codeOf(first)).toBe('INVALID_VALUE')
  expect(await codeOf(handle.sync())).toBe('no error')
})

test('[S16] [S14] a draft for which there is no room is refused when it is sent', async () => {
  const { client } = startClient({ maxPendingChanges: 1 })
  void client.state('other', { default: 0 }).set(1)
  const handle = client.state('draft', { default: 0, strategy: 'manual' })
  const change = handle.set(1)
  void handle.sync()
  expect(await codeOf(change)).toBe('OVERFLOW')
  expect(handle.current).toMatchObject({ value: 0, isDirty: false, error: { code: 'OVERFLOW' } })
})

test('[S15] a key that nobody used any more is unknown when it is used again', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const first = client.state('count')
  await server.flush()
  first.dispose()
  expect(await codeOf(first.refresh())).toBe('CLOSED')
  await server.flush()
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S15] a subscription whose answer is lost with the connection is no refused one', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await settled()
  expect(server.link.up).toHaveLength(1)
  server.link.cut()
  await settled()
  expect(handle.current).toMatchObject({ loading: true, error: undefined })
  clock.advance(1_000)
  await server.flush()
  expect(handle.current).toMatchObject({ loading: false, error: undefined })
})

test('[S3] a key that may be read again shows so', async () => {
  const { client, server, clock } = await connectedClient()
  const refused = new RealtimeError('TOO_MANY_SUBSCRIPTIONS')
  const handle = client.state('count', { default: 0 })
  await server.flush()
  server.link.cut()
  failing(server, 'storage:subscribe', refused)
  clock.advance(1_000)
  await server.flush()
  expect(handle.current.error).toMatchObject({ code: 'TOO_MANY_SUBSCRIPTIONS' })
  const seen: unknown[] = []
  handle.subscribe(({ error }) => seen.push(error))
  server.link.cut()
  clock.advance(1_000)
  await server.flush()
  expect(handle.current).toMatchObject({ error: undefined, version: 0 })
  expect(seen).toEqual([undefined])
})
