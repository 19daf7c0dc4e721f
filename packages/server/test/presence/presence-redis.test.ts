import { eventually, spawnInstance, startRedis, type Instance, type TestRedis } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectPlain, type PlainClient } from '../serve.ts'
import { observeRoom } from './room-observer.ts'

// Two instances on one Redis: kills, stops and reconnects between them. A busy machine stops no process for as long as a lease.

const LEASES = { heartbeatMs: 300, leaseMs: 3_000, graceMs: 3_000 }

let redis: TestRedis
let instances: Instance[]
const clients: PlainClient[] = []

const start = (): Promise<Instance> =>
  spawnInstance(new URL('../instance.ts', import.meta.url), { env: { REDIS_URL: redis.url, LEASES: JSON.stringify(LEASES) } })

beforeAll(async () => {
  redis = await startRedis()
  instances = await Promise.all([start(), start()])
})

afterAll(async () => {
  for (const { socket } of clients) socket.disconnect()
  await Promise.all(instances.map((instance) => instance.stop()))
  await redis.stop()
})

const connectTo = async (instance: Instance | undefined, clientId?: string): Promise<PlainClient> => {
  const client = await connectPlain(String(instance?.ready['url']), { auth: { ...(clientId && { clientId }) } })
  clients.push(client)
  return client
}

test('[P1] [P5] observers on both instances show the same members and cursors', async () => {
  const [ada, bob, near, far] = await Promise.all([0, 1, 0, 1].map((index) => connectTo(instances[index])))
  if (!ada || !bob || !near || !far) throw new Error('not connected')
  const observers = [await observeRoom(near, 'doc:1'), await observeRoom(far, 'doc:1')]
  const ids = [(await ada.request('presence:join', { room: 'doc:1', info: 'Ada' })).id]
  ids.push((await bob.request('presence:join', { room: 'doc:1', info: 'Bob' })).id)
  for (const observer of observers) await eventually(() => expect([...observer.members().keys()].toSorted()).toEqual(ids.toSorted()))
  await bob.request('presence:update', { room: 'doc:1', info: 'Robert' })
  await ada.request('presence:cursor', { room: 'doc:1', data: { x: 1 } })
  await bob.request('presence:cursor', { room: 'doc:1', data: { x: 2 } })
  const [first = '', second = ''] = ids
  for (const observer of observers) {
    await eventually(() => expect(observer.members().get(second)).toMatchObject({ info: 'Robert' }))
    await eventually(() => expect(observer.cursors()).toEqual({ [first]: { x: 1 }, [second]: { x: 2 } }))
  }
  const late = await observeRoom(await connectTo(instances[1]), 'doc:1')
  await eventually(() => expect(late.cursors()).toEqual({ [first]: { x: 1 }, [second]: { x: 2 } }))
  await ada.request('presence:leave', { room: 'doc:1' })
  bob.socket.disconnect()
  for (const observer of [...observers, late]) await eventually(() => expect([...observer.members()]).toEqual([]))
  expect(await instances[0]?.call('members', 'doc:1')).toEqual([])
})

test('[P2] a client that reconnects to another instance is the same member', async () => {
  const observers = await Promise.all(instances.map(async (instance) => observeRoom(await connectTo(instance), 'doc:2')))
  const first = await connectTo(instances[0], 'ada')
  const { id } = await first.request('presence:join', { room: 'doc:2', info: 1 })
  first.socket.disconnect()
  const second = await connectTo(instances[1], 'ada')
  expect(await second.request('presence:join', { room: 'doc:2', info: 1 })).toMatchObject({ id })
  second.socket.disconnect()
  for (const observer of observers) await eventually(() => expect([...observer.members()]).toEqual([]))
  for (const observer of observers) expect(observer.left()).toEqual([id])
})

test('[P4] after SIGTERM only members that do not reconnect leave', async () => {
  const stopping = await start()
  const observer = await observeRoom(await connectTo(instances[0]), 'doc:4')
  const [ada, bob] = [await connectTo(stopping, 'p4-ada'), await connectTo(stopping, 'p4-bob')]
  const moved = await ada.request('presence:join', { room: 'doc:4' })
  const lost = await bob.request('presence:join', { room: 'doc:4' })
  ada.socket.once('disconnect', () => {})
  const stopped = stopping.stop()
  const again = await connectTo(instances[1], 'p4-ada')
  expect(await again.request('presence:join', { room: 'doc:4' })).toMatchObject({ id: moved.id })
  expect(await stopped).toBe(0)
  await eventually(() => expect(observer.left()).toEqual([lost.id]))
  expect([...observer.members().keys()]).toEqual([moved.id])
})

test('[P3] a killed instance leaves no member behind; members of others stay', async () => {
  const killed = await start()
  const observer = await observeRoom(await connectTo(instances[0]), 'doc:3')
  const stays = await (await connectTo(instances[1], 'p3-stays')).request('presence:join', { room: 'doc:3' })
  const ids: string[] = []
  for (const clientId of ['p3-a', 'p3-b'])
    ids.push((await (await connectTo(killed, clientId)).request('presence:join', { room: 'doc:3' })).id)
  await eventually(() => expect(observer.members().size).toBe(3))
  await killed.kill()
  await eventually(() => expect([...observer.members().keys()]).toEqual([stays.id]))
  expect(observer.left().toSorted()).toEqual(ids.toSorted())
})
