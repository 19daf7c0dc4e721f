import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { eventually } from '@tutti/test-kit'
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

test('[S4] [S7] [S14] two clients increment on and offline on the real server: each effect once, all end equal', async () => {
  const [a, b] = [connect().state('count', { default: 0 }), connect().state('count', { default: 0 })]
  clients[0]?.connection.disconnect()
  const changes = Array.from({ length: 20 }, () => [a.increment(), b.increment(2)]).flat()
  clients[0]?.connection.connect()
  await Promise.all(changes)
  await eventually(() => expect([a.current.value, b.current.value]).toEqual([60, 60]))
  expect(a.current.version).toBe(b.current.version)
})

test('[S8] [S9] [S10] patches, updates and removals of two clients on the real server meet', async () => {
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
