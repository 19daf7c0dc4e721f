import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { eventually } from '@tutti/test-kit'
import { collection } from '../src/collection/collection.ts'
import { presence } from '../src/presence/presence.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startRealServer } from './real-server.ts'
import { codeOf } from './setup-client.ts'

let server: Awaited<ReturnType<typeof startRealServer>>
const clients: RealtimeClient[] = []
const connect = (): RealtimeClient => {
  const client = createRealtimeClient({ url: server.url, random: () => 0 })
  clients.push(client)
  return client
}

beforeAll(async () => {
  server = await startRealServer()
})
afterAll(async () => {
  for (const client of clients) await client.close()
  await server.close()
})

test('[S4] [S7] [S14] two clients increment online and offline: all end equal', async () => {
  const [a, b] = [connect().state('count', { default: 0 }), connect().state('count', { default: 0 })]
  clients[0]?.connection.disconnect()
  const changes = Array.from({ length: 20 }, () => [a.increment(), b.increment(2)]).flat()
  clients[0]?.connection.connect()
  await Promise.all(changes)
  await eventually(() => expect([a.current.value, b.current.value]).toEqual([60, 60]))
  expect(a.current.version).toBe(b.current.version)
})

test('[S17] two clients share one collection on the real server, large and offline', async () => {
  const [first, second] = [connect(), connect()]
  for (const start of [0, 750])
    await Promise.all(Array.from({ length: 750 }, (_, place) => first.state<number>(`many:${10_000 + start + place}`).set(start + place)))
  const [a, b] = [collection<number>(first, 'many:'), collection<number>(second, 'many:')]
  await eventually(() => expect([a.current.items.length, b.current.items.length]).toEqual([1_500, 1_500]))
  first.connection.disconnect()
  const key = a.add(-1)
  void a.remove('many:10007')
  void b.set('many:10008', -2)
  first.connection.connect()
  await eventually(() => {
    expect(a.current).toMatchObject({ pending: false, loading: false, error: undefined })
    expect(b.current.items.map((item) => [item.key, item.value])).toEqual(a.current.items.map((item) => [item.key, item.value]))
    expect(b.current.items.find((item) => item.key === key)?.value).toBe(-1)
    expect(a.current.items.map(({ value }) => value).slice(7, 10)).toEqual([6, -2, 9])
  })
})

test('[P2] a client that is closed leaves at once, one that disconnects stays', async () => {
  const waiting = await startRealServer({ presence: { graceMs: 600_000 } })
  const [observing, closing, pausing] = [0, 1, 2].map(() => createRealtimeClient({ url: waiting.url, random: () => 0 }))
  if (!observing || !closing || !pausing) throw new Error('There are three.')
  try {
    const observer = presence(observing, 'doc:1')
    const rooms = [presence(closing, 'doc:1', { info: 'closing' }), presence(pausing, 'doc:1', { info: 'pausing' })]
    await eventually(() => {
      expect(rooms.map(({ current }) => current.joined)).toEqual([true, true])
      expect(observer.current.count).toBe(2)
    })
    pausing.connection.disconnect()
    await closing.close()
    await eventually(() => expect(observer.current.members).toMatchObject([{ info: 'pausing' }]))
    const [{ id } = { id: '' }] = observer.current.members
    pausing.connection.connect()
    await eventually(() => expect(rooms[1]?.current).toMatchObject({ joined: true, members: [{ id, isMe: true }] }))
  } finally {
    for (const client of [observing, closing, pausing]) await client.close()
    await waiting.close()
  }
})

test('[S8] [S9] [S10] patches, updates and removals of two clients are combined', async () => {
  type Doc = { [name: string]: unknown }
  const [a, b] = [connect().state<Doc>('doc'), connect().state<Doc>('doc')]
  await a.set({ list: [] })
  await Promise.all([a.patch({ a: 1 }), b.patch({ b: { c: null, d: 2 } })])
  await Promise.all([a, b].map((handle) => handle.update((value) => ({ ...value, n: Number(value?.['n'] ?? 0) + 1 }))))
  await eventually(() => expect([a.current.value, b.current.value]).toEqual(Array(2).fill({ list: [], a: 1, b: { d: 2 }, n: 2 })))
  await b.remove()
  await eventually(() => expect([a.current.value, b.current.value]).toEqual([undefined, undefined]))
  expect(await codeOf(a.set({}).then(() => a.increment()))).toBe('NOT_A_NUMBER')
})

test('[C6] the real server replies to a probe', async () => {
  const client = connect()
  await eventually(() => expect(client.connection.current.status).toBe('connected'))
  const outcome = await new Promise((resolve) => client.internals.connection.request('storage:unsubscribe', { keys: [] }, resolve))
  expect(outcome).toEqual({ result: { ok: true } })
})
