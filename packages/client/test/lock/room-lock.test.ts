import { createRealtimeClient, type RealtimeClient } from '@tutti/client'
import { lock } from '@tutti/client/lock'
import { room } from '@tutti/client/room'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import { startRealServer } from '../real-server.ts'
import { codeOf, connectedClient } from '../setup-client.ts'

async function start(): Promise<() => RealtimeClient> {
  const server = await startRealServer()
  onTestFinished(() => server.close())
  return () => {
    const client = createRealtimeClient({ url: server.url })
    onTestFinished(() => client.close())
    return client
  }
}

test('[R3] the locks of rooms have names of their own, and end with the room', async () => {
  const connect = await start()
  const [client, other] = [connect(), connect()]
  const [outer, inner] = [room(client, 'proj', { lock }), room(other, 'proj:1', { lock })]
  const [mine, theirs] = [outer.lock('1:title', { info: 'Ada' }), inner.lock('title')]
  expect([mine.key, theirs.key]).toEqual(['room:1:proj:1:title', 'room:2:proj:1:title'])
  await eventually(() => expect([client, other].map(({ connection }) => connection.current.status)).toEqual(['connected', 'connected']))
  expect(await Promise.all([mine.acquire(), theirs.acquire()])).toEqual([true, true])
  const same = lock<string>(other, outer.key('1:title'))
  await eventually(() => expect(same.current.holder?.info).toBe('Ada'))
  const waiting = same.acquire({ waitMs: 60_000 })
  outer.dispose()
  expect(await waiting).toBe(true)
  expect(() => outer.lock('other')).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  expect(theirs.current.isMine).toBe(true)
})

test('[L2] the state of a room can be bound to a lock of the room', async () => {
  const connect = await start()
  const project = room(connect(), 'proj', { lock })
  const own = project.lock('title')
  const title = project.state('title', { default: '', lock: own })
  await eventually(async () => expect(await own.acquire()).toBe(true))
  await title.set('bound')
  const other = lock(connect(), project.key('title'))
  await eventually(() => other.forceRelease())
  await eventually(() => expect(own.current.isMine).toBe(false))
  expect([await codeOf(title.set('late')), title.current.value]).toEqual(['LOCK_LOST', 'bound'])
})

test('[X9] a room without the option has no locks, and refuses other values of it', async () => {
  const { client } = await connectedClient()
  expect('lock' in room(client, 'proj')).toBe(false)
  expect(() => room(client, 'proj', { lock: true as never })).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }))
})
