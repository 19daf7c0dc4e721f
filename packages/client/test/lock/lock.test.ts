import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { lock, locks } from '@tutti/client/lock'
import type { AttachRealtimeOptions } from '@tutti/server/node'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { startRealServer } from '../real-server.ts'
import { codeOf } from '../setup-client.ts'

/** A server and a function that connects clients to it. */
async function start(options: Partial<AttachRealtimeOptions> = {}): Promise<() => Promise<RealtimeClient>> {
  const server = await startRealServer({ authenticate: ({ token = 'ann' }) => ({ id: token }), ...options })
  const clients: RealtimeClient[] = []
  onTestFinished(async () => {
    await Promise.all(clients.map((client) => client.close()))
    await server.close()
  })
  return async () => {
    const client = createRealtimeClient({ url: server.url, random: () => 0 })
    clients.push(client)
    await eventually(() => expect(client.connection.current.status).toBe('connected'))
    return client
  }
}

test('[L3] a lock is shown to all, and released by its last handle', async () => {
  const connect = await start()
  const [ann, bob] = [await connect(), await connect()]
  const [first, second] = [lock(ann, 'form:1', { info: 'Ann' }), lock(ann, 'form:1', { info: 'Ann' })]
  const [other, all] = [lock<string>(bob, 'form:1'), locks<string>(bob, 'form:')]
  await eventually(() => expect(other.current.loading).toBe(false))
  expect(await Promise.all([first.acquire(), second.acquire()])).toEqual([true, true])
  expect(await other.acquire()).toBe(false)
  await eventually(() => expect(other.current.holder).toEqual({ user: 'ann', info: 'Ann' }))
  expect([...all.current]).toEqual([['form:1', { user: 'ann', info: 'Ann' }]])
  expect([first.current.isMine, second.current.isMine, other.current.isMine]).toEqual([true, true, false])
  expect(first.current.token).toBe(first.binding?.token)
  await first.release()
  expect([first.current.isMine, second.current.isMine, first.binding]).toEqual([false, true, undefined])
  expect(await other.acquire()).toBe(false)
  second.dispose()
  await eventually(() => expect(all.current.size).toBe(0))
  expect(await other.acquire()).toBe(true)
  await expect(second.acquire()).rejects.toMatchObject({ code: 'CLOSED' })
})

test('[L4] a request waits, until its time is over or its signal is aborted', async () => {
  const connect = await start()
  const [ann, bob] = [await connect(), await connect()]
  const [mine, other] = [lock(ann, 'form:1'), lock(bob, 'form:1')]
  await mine.acquire()
  const aborter = new AbortController()
  const aborted = other.acquire({ waitMs: 60_000, signal: aborter.signal })
  await eventually(() => expect(other.current.waiting).toBe(true))
  aborter.abort()
  expect(await aborted).toBe(false)
  expect(await other.acquire({ signal: aborter.signal })).toBe(false)
  expect(await other.acquire({ waitMs: 10 })).toBe(false)
  const waiting = other.acquire({ waitMs: 60_000 })
  await mine.release()
  expect(await waiting).toBe(true)
  expect(await mine.acquire()).toBe(false)
  // A request that the handle gives up is not granted.
  const given = mine.acquire({ waitMs: 60_000 })
  await mine.release()
  expect(await given).toBe(false)
  await other.release()
  await eventually(async () => expect(await lock(ann, 'form:1').acquire()).toBe(true))
})

test('[L4] after an abort met the grant, the lock is free or its holder knows it', async () => {
  const connect = await start()
  const [ann, bob] = [await connect(), await connect()]
  const [mine, other] = [lock(ann, 'form:1'), lock(bob, 'form:1')]
  for (let round = 0; round < 50; round += 1) {
    expect(await mine.acquire({ waitMs: 60_000 })).toBe(true)
    const aborter = new AbortController()
    const waiting = other.acquire({ waitMs: 60_000, signal: aborter.signal })
    const releasing = mine.release()
    if (round % 3 === 0) await releasing
    if (round % 3 === 1) await Promise.resolve()
    aborter.abort()
    if (await waiting) {
      expect(other.current.isMine).toBe(true)
      await other.release()
    }
    await releasing
  }
})

test('[L3] a lock continues through a reconnect, with its token', async () => {
  const connect = await start()
  const [ann, bob] = [await connect(), await connect()]
  const [mine, other] = [lock(ann, 'form:1'), lock(bob, 'form:1')]
  await mine.acquire()
  const { token } = mine.current
  let lost = 0
  mine.onLost(() => (lost += 1))
  ann.connection.disconnect()
  await expect(mine.acquire()).resolves.toBe(true)
  expect(await other.acquire()).toBe(false)
  ann.connection.connect()
  await eventually(() => expect(ann.connection.current.status).toBe('connected'))
  expect(mine.current).toMatchObject({ isMine: true, token })
  // Its connection has the lock again: it does not end.
  await eventually(() => expect(mine.current.holder).toEqual({ user: 'ann', info: null }))
  const waiting = other.acquire({ waitMs: 60_000 })
  await mine.release()
  expect(await waiting).toBe(true)
  expect(lost).toBe(0)
})

test('[L3] onLost runs when the lock ended while the client was offline, or by force', async () => {
  const connect = await start()
  const [ann, bob] = [await connect(), await connect()]
  const [mine, other] = [lock(ann, 'form:1', { ttlMs: 1 }), lock(bob, 'form:1')]
  let lost = 0
  mine.onLost(() => (lost += 1))
  await mine.acquire()
  ann.connection.disconnect()
  expect(await other.acquire({ waitMs: 60_000 })).toBe(true)
  ann.connection.connect()
  await eventually(() => expect(lost).toBe(1))
  expect(mine.current).toMatchObject({ isMine: false, token: undefined })
  await other.forceRelease()
  await eventually(() => expect(other.current.isMine).toBe(false))
  expect(await mine.acquire()).toBe(true)
  await other.forceRelease()
  await eventually(() => expect(lost).toBe(2))
})

test('[L2] [L5] the changes of a handle are bound to its lock, queued ones too', async () => {
  const connect = await start({ locks: { required: ['form:*'] } })
  const [ann, bob] = [await connect(), await connect()]
  const [mine, other] = [lock(ann, 'form:1', { ttlMs: 1 }), lock(bob, 'form:1')]
  const value = ann.state<string>('form:1', { lock: mine })
  await expect(value.set('not mine')).rejects.toMatchObject({ code: 'LOCK_LOST' })
  await mine.acquire()
  await value.set('first')
  await expect(bob.state('form:1').set('by bob')).rejects.toMatchObject({ code: 'LOCKED' })
  await expect(ann.state('form:1').set('unbound')).rejects.toMatchObject({ code: 'LOCKED' })
  // Offline: the lock ends, and another client writes.
  ann.connection.disconnect()
  const queued = value.set('queued')
  expect(value.current.value).toBe('queued')
  expect(await other.acquire({ waitMs: 60_000 })).toBe(true)
  await bob
    .state<string>('form:1', { lock: other })
    .patch('by bob' as never)
    .catch(() => {})
  await bob.state<string>('form:1', { lock: other }).set('by bob')
  ann.connection.connect()
  expect(await codeOf(queued)).toBe('LOCK_LOST')
  await eventually(() => expect(value.current.value).toBe('by bob'))
})

test('[L2] a queued change is applied if the client reconnects in time', async () => {
  const connect = await start()
  const ann = await connect()
  const mine = lock(ann, 'form:1')
  await mine.acquire()
  const value = ann.state<string>('form:1', { lock: mine })
  ann.connection.disconnect()
  const queued = value.set('queued')
  ann.connection.connect()
  await queued
  expect(mine.current.isMine).toBe(true)
})

test('[L2] a server without locks receives no bound change', async () => {
  const connect = await start({ locks: false })
  const client = await connect()
  const mine = lock(client, 'form:1')
  await expect(mine.acquire()).rejects.toMatchObject({ code: 'UNSUPPORTED' })
  await eventually(() => expect(mine.current.error).toMatchObject({ code: 'UNSUPPORTED' }))
  const value = client.state('form:1', { lock: { binding: { key: 'form:1', token: 1 } } })
  await expect(value.set(1)).rejects.toMatchObject({ code: 'UNSUPPORTED' })
})

test('[X9] options and names are checked at once', async () => {
  const connect = await start()
  const client = await connect()
  expect(() => lock(client, 'a/b')).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  expect(() => locks(client, 'form')).toThrow(expect.objectContaining({ code: 'INVALID_KEY' }))
  expect(() => lock(client, 'a', { ttlMs: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
  expect(() => lock(client, 'a').acquire({ waitMs: 0 })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})
