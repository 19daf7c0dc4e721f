import type { StateHandle } from '@tutti/client'
import { RealtimeError } from '@tutti/protocol'
import { expect, test } from 'vitest'
import { manualClock } from '../manual-clock.ts'
import { ModelServer } from '../model-server.ts'
import { codeOf, connectedClient, failNext, ownRequests, unavailable } from '../setup-client.ts'

test('[S9] an update waits for the entry, and runs only on it', async () => {
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

test('[S9] an update that throws on the stored value rejects; later changes are sent', async () => {
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

test('[S9] an update that throws on the shown value is refused at once', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 1 })
  await server.flush()
  const mistake = new TypeError('no')
  void handle.update(() => {
    throw mistake
  })
  expect(handle.current).toMatchObject({ pending: false, error: mistake })
})

test('[S9] an update of an unreadable key is refused with the reason', async () => {
  const { client, server } = await connectedClient()
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('TOO_MANY_SUBSCRIPTIONS') : undefined)
  const handle = client.state('count', { default: 1 })
  const early = handle.update((value) => value + 1)
  await server.flush()
  expect(await codeOf(early)).toBe('TOO_MANY_SUBSCRIPTIONS')
  expect(await codeOf(handle.update((value) => value + 1))).toBe('TOO_MANY_SUBSCRIPTIONS')
})

test('[S9] an update whose handle is disposed at once requests the entry itself', async () => {
  const { client, server } = await connectedClient()
  server.write('count', 1)
  const handle = client.state('count', { default: 0 })
  const done = handle.update((value) => value + 1)
  handle.dispose()
  await server.flush()
  await done
  expect(server.value('count')).toBe(2)
})

test('[S14] offline changes are sent after reconnecting, even without users of the key', async () => {
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
  // The key is forgotten together with the change.
  expect(client.state('count').current).toMatchObject({ value: undefined, loading: true })
})

test('[S13] while a refused change waits, its key sends nothing; delays increase', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  failNext(server, 'storage:increment', new RealtimeError('UNAVAILABLE'), new RealtimeError('UNAVAILABLE'))
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

test('[F4] after any outage of the store, refused requests are repeated within 2 s', async () => {
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

test('[S14] a change on top of an unsent change keeps its condition', async () => {
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

test('[S13] a change without need of the entry does not wait for it', async () => {
  const { client, server } = await connectedClient()
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
  const handle = client.state('box', { default: 0 })
  const first = handle.set(1)
  await server.flush()
  expect(server.log.map(({ name }) => name)).toEqual(['storage:set', 'storage:subscribe'])
  const second = handle.increment()
  await server.flush()
  await Promise.all([first, second])
  expect(server.value('box')).toBe(2)
})

test('[S9] an update that the server refuses for good is over', async () => {
  const { client, server } = await connectedClient()
  server.judge = ({ name }) => (name === 'storage:set' ? new RealtimeError('FORBIDDEN') : undefined)
  const handle = client.state('count', { default: 1 })
  const refused = handle.update((value) => value + 1)
  await server.flush()
  expect(await codeOf(refused)).toBe('FORBIDDEN')
  expect(server.logged('storage:set')).toHaveLength(1)
})

test('[S9] an update that throws on the shown value is refused at once, also offline', async () => {
  const { client, server } = await connectedClient()
  const handle = client.state('count', { default: 1 })
  await server.flush()
  client.connection.disconnect()
  const mistake = new TypeError('no')
  void handle.update(() => {
    throw mistake
  })
  expect(handle.current).toMatchObject({ pending: false, error: mistake })
})

test('[S14] onlyIfUnchanged before the entry is known requires an absent key', async () => {
  const { client, server } = await connectedClient()
  server.write('there', 'theirs')
  const [there, absent] = ['there', 'absent'].map((key) => client.state<string>(key, { onlyIfUnchanged: true }))
  const changes = [there?.set('mine'), absent?.set('mine')].map((change) => codeOf(change ?? Promise.resolve()))
  await server.flush()
  expect(await Promise.all(changes)).toEqual(['CONFLICT', 'no error'])
  expect([server.value('there'), server.value('absent')]).toEqual(['theirs', 'mine'])
})

test('[S13] delays end with the connection: the next one sends requests at once', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  let isAway = true
  server.judge = () => (isAway ? unavailable(60_000) : undefined)
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
  // Nor does the refusal of another request cause a new request.
  server.judge = ({ name }) => (name === 'storage:subscribe' ? new RealtimeError('FORBIDDEN') : undefined)
  client.state('bad')
  await server.flush()
  expect(await ownRequests({ server, clock })).toBe(0)
})

test('[S12] sent changes without a reply leave no timer when the connection ends', async () => {
  const { client, server, clock } = await connectedClient()
  const handle = client.state('count', { default: 0 })
  await server.flush()
  void handle.increment()
  client.connection.disconnect()
  expect(clock.waiting).toBe(0)
})

test('[S12] a change is repeated for as long as the server remembers it', async () => {
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

test('[S14] changes behind an acknowledged patch are sent once its entry arrives', async () => {
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
  server.link.notify({ name: 'storage:updated', payload: server.entry('doc') })
  server.deliverDown(server.link)
  expect(server.link.up.map(({ request }) => request.name)).toEqual(['storage:get', 'storage:set'])
  await server.flush()
  await set
})
