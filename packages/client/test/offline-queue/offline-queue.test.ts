import 'fake-indexeddb/auto'
import { randomUUID } from 'node:crypto'
import { RealtimeError } from '@tutti/protocol'
import type { OfflineQueue, PendingChangeStore, OfflineQueueContext, PendingChange } from '@tutti/client'
import { createOfflineQueue } from '@tutti/client/offline-queue'
import { eventually } from '@tutti/test-kit'
import { expect, test } from 'vitest'
import { withEarlier } from '../../src/offline-queue/stored-change.ts'
import { ModelServer } from '../model-server.ts'
import { startClient, type TestClient } from '../setup-client.ts'

interface Page extends TestClient {
  /** The page is closed without notice: its stored changes remain, and it does nothing more. */
  die(): void
}

/** A page on a server, with the database of this name. */
async function openPage(name: string, server: ModelServer, offline = false): Promise<Page> {
  const kept: PendingChangeStore[] = []
  const offlineQueue: OfflineQueue = (context) => {
    const made = createOfflineQueue({ name })(context)
    kept.push(made)
    return made
  }
  const started = startClient({ offlineQueue }, server)
  if (offline) started.client.connection.disconnect()
  else await eventually(async () => (await server.flush(), expect(started.client.connection.current.status).toBe('connected')))
  return {
    ...started,
    die: () => {
      for (const one of kept) one.close()
      started.client.connection.disconnect()
    },
  }
}

/** Delivers messages until the check succeeds. */
const reaches = (server: ModelServer, check: () => void): Promise<unknown> => eventually(async () => (await server.flush(), check()))

test('[S14] changes made offline survive the page, in order, and show at once', async () => {
  const name = randomUUID()
  const server = new ModelServer()
  const first = await openPage(name, server, true)
  void first.client.state<number>('count', { default: 0 }).increment(3)
  void first.client.state<string>('text').set('a')
  void first.client.state<string>('text').set('b')
  void first.client.state<object>('doc').patch({ a: 1 })
  void first.client.state<string>('gone').remove()
  first.die()
  const second = await openPage(name, server, true)
  const text = second.client.state<string>('text')
  await eventually(() => expect(text.current).toMatchObject({ value: 'b', pending: true }))
  void second.client.state<number>('count', { default: 0 }).increment(5)
  server.write('gone', 'still here')
  second.client.connection.connect()
  await reaches(server, () => {
    expect(server.value('count')).toBe(8)
    expect(server.value('text')).toBe('b')
    expect(server.value('doc')).toEqual({ a: 1 })
    expect(server.value('gone')).toBeUndefined()
  })
  expect(second.errors).toEqual([])
  // Nothing is left for a third.
  second.die()
  const third = await openPage(name, server)
  await reaches(server, () => expect(server.logged('storage:increment')).toHaveLength(1))
  expect(third.errors).toEqual([])
})

test('[S12] a change without a reply is repeated by the next page and applied once', async () => {
  const name = randomUUID()
  const server = new ModelServer()
  const first = await openPage(name, server)
  void first.client.state<number>('count', { default: 0 }).increment(1)
  await eventually(() => {
    if (!server.link.up.some(({ request }) => request.name === 'storage:increment')) throw new Error('not sent')
  })
  while (server.deliverUp(server.link));
  expect(server.value('count')).toBe(1)
  first.die()
  const second = await openPage(name, server)
  await reaches(server, () => expect(server.logged('storage:increment')).toHaveLength(2))
  expect(server.logged('storage:increment')[1]?.mutation).toEqual({ number: 1, clientId: first.client.clientId })
  expect(second.client.clientId).not.toBe(first.client.clientId)
  expect(server.value('count')).toBe(1)
})

test('[S12] no change is sent before its number is stored', async () => {
  const server = new ModelServer()
  let keepIt = (): void => {}
  const kept = new Promise<void>((resolve) => (keepIt = resolve))
  const { client } = startClient({ offlineQueue: () => ({ restore: () => Promise.resolve(), save: () => kept, close: () => {} }) }, server)
  const done = client.state<number>('count', { default: 0 }).increment(1)
  await server.flush()
  expect(server.logged('storage:increment')).toEqual([])
  keepIt()
  await server.flush()
  await done
  expect(server.value('count')).toBe(1)
})

test('[S14] an open page keeps its changes; another page has its own queue', async () => {
  const name = randomUUID()
  const server = new ModelServer()
  const first = await openPage(name, server, true)
  void first.client.state<number>('count', { default: 0 }).increment(1)
  const second = await openPage(name, server)
  void second.client.state<number>('count', { default: 0 }).increment(10)
  await reaches(server, () => expect(server.value('count')).toBe(10))
  first.client.connection.connect()
  await reaches(server, () => expect(server.value('count')).toBe(11))
})

test('[S14] a page that is closed later leaves its changes to one that is connected', async () => {
  const name = randomUUID()
  const server = new ModelServer()
  const first = await openPage(name, server, true)
  const count = first.client.state<number>('count', { default: 0 })
  void count.increment(1)
  const [second, third] = [await openPage(name, server), await openPage(name, server)]
  void count.increment(1)
  await eventually(async () => {
    const { pending = [] } = await navigator.locks.query()
    expect(pending.filter((request) => request.name?.startsWith(name))).toHaveLength(2)
  })
  first.die()
  await reaches(server, () => expect(server.value('count')).toBe(2))
  expect(server.logged('storage:increment')).toHaveLength(1)
  expect([...second.errors, ...third.errors]).toEqual([])
})

test('[S13] a refused change of an earlier page is reverted and reported', async () => {
  const name = randomUUID()
  const server = new ModelServer()
  const first = await openPage(name, server, true)
  void first.client.state<string>('text').set('no')
  first.die()
  server.judge = ({ name: message }) => (message === 'storage:set' ? new RealtimeError('FORBIDDEN') : undefined)
  const second = await openPage(name, server)
  const text = second.client.state<string>('text')
  await reaches(server, () => expect(second.errors).toMatchObject([{ code: 'FORBIDDEN' }]))
  expect(text.current).toMatchObject({ value: undefined, pending: false })
})

test('[S9] a sent update is repeated as its resulting value, with its condition', async () => {
  const name = randomUUID()
  const server = new ModelServer()
  server.write('count', 5)
  const first = await openPage(name, server)
  const count = first.client.state<number>('count', { default: 0 })
  await reaches(server, () => expect(count.current.loading).toBe(false))
  void count.update((value) => value + 1)
  await eventually(() => {
    if (!server.link.up.some(({ request }) => request.name === 'storage:set')) throw new Error('not sent')
  })
  first.die()
  await openPage(name, server)
  await reaches(server, () => expect(server.value('count')).toBe(6))
  expect(server.logged('storage:set')).toMatchObject([{ value: 6, ifVersion: 1, mutation: { clientId: first.client.clientId } }])
})

test('[S14] close() leaves unconfirmed changes to the next page and reports them', async () => {
  const name = randomUUID()
  const server = new ModelServer()
  const first = await openPage(name, server, true)
  const change = first.client.state<string>('text').set('kept')
  await first.client.close()
  await expect(change).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  await openPage(name, server)
  await reaches(server, () => expect(server.value('text')).toBe('kept'))
})

test('[S14] changes of several pages on one key are joined, none lost or doubled', async () => {
  const server = new ModelServer()
  const adopting: OfflineQueueContext[] = []
  const { client } = startClient(
    {
      offlineQueue: (context) => (
        adopting.push(context),
        { restore: () => Promise.resolve(), save: () => Promise.resolve(), close: () => {} }
      ),
    },
    server,
  )
  client.connection.disconnect()
  const add = (by: number) => ({ change: { op: 'increment' as const, by, initial: 0 }, deferred: false, waiters: [] })
  const sent = (number: number) => ({ sent: { clientId: 'earlier', number, sentAt: 1_000_000 } })
  const adopt = (...earlier: PendingChange[]) => adopting[0]?.adopt('count', (pending) => withEarlier(pending, earlier))
  adopt(add(1), { ...add(10), ...sent(1) })
  adopt({ ...add(100), ...sent(2) }, add(1_000))
  adopt(add(10_000))
  const count = client.state<number>('count', { default: 0 })
  expect(count.current.value).toBe(11_111)
  client.connection.connect()
  await reaches(server, () => expect(count.current).toMatchObject({ pending: false }))
  expect(
    server
      .logged('storage:increment')
      .map(({ by }) => by)
      .toSorted((a, b) => a - b),
  ).toEqual([1, 10, 100, 1_000, 10_000])
})
