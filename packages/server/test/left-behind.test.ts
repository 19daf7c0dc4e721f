import { createMemoryCoordination } from '@tutti/coordination'
import type { LocksView } from '@tutti/coordination/contract'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test } from 'vitest'
import type { Connection } from '../src/connection/connection.ts'
import { createLockRequests } from '../src/locks/lock-requests.ts'
import { createMemberships } from '../src/presence/memberships.ts'
import { createRoomMemberships } from '../src/rooms/room-memberships.ts'
import { codeOf, serve, type Served } from './serve.ts'

type Options = Parameters<typeof serve>[0]

const served = async (options: Options = {}): Promise<Served> => {
  const server = await serve(options)
  onTestFinished(() => server.close())
  return server
}

/** A connection that the features see end. */
function gone(id = 'c1'): Connection {
  const names = new Set<string>()
  return {
    ...{ id, user: 'ada', address: '', clientId: 'a', connected: false, openedAt: 0, backlog: { isFull: false, afterDrain: () => {} } },
    subscriptions: {
      add: (added) => {
        for (const name of added) names.add(name)
        return added
      },
      has: (name) => names.has(name),
      delete: (name) => void names.delete(name),
      deletions: 0,
      all: names,
    },
    ...{ send: () => {}, deliver: () => {}, end: () => {}, disconnect: () => {}, join: () => {}, leave: () => {} },
  }
}

test('[L3] a refused subscription of a lock leaves no view', async () => {
  const coordination = createMemoryCoordination()
  const open = new Set<LocksView>()
  const { watch } = coordination.locks
  coordination.locks.watch = (target, onChange) => {
    const view = watch(target, onChange)
    const counted: LocksView = {
      ...view,
      close: () => {
        open.delete(counted)
        view.close()
      },
    }
    open.add(counted)
    return counted
  }
  const { connect } = await served({ coordination, limits: { maxSubscriptions: 1 } })
  const client = await connect()
  await client.request('lock:subscribe', { key: 'form:1' })
  expect(codeOf(await client.send('lock:subscribe', { key: 'form:2' }))).toBe('TOO_MANY_SUBSCRIPTIONS')
  client.socket.disconnect()
  await eventually(() => expect(open.size).toBe(0))
})

test('[P3] a join that is authorized after its connection has ended makes no member', async () => {
  const verdict = Promise.withResolvers<boolean>()
  const asked = Promise.withResolvers<void>()
  const joins: string[] = []
  const { connect, realtime } = await served({
    authorize: ({ action }) => {
      if (action !== 'presence:join') return true
      asked.resolve()
      return verdict.promise
    },
  })
  realtime.presence.onRoomOpen((room) => joins.push(room))
  const client = await connect({ auth: { clientId: 'a' } })
  client.socket.emit('presence:join', { room: 'doc:1' })
  await asked.promise
  client.socket.disconnect()
  await eventually(() => expect(realtime.io.engine.clientsCount).toBe(0))
  verdict.resolve(true)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(joins).toEqual([])
  expect(await realtime.presence.count('doc:1')).toBe(0)
})

test('[P3] nothing is kept of a membership whose connection has ended before', async () => {
  const coordination = createMemoryCoordination()
  const memberships = createMemberships({ coordination, roomMemberships: createRoomMemberships(), onEnd: () => {}, onError: () => {} })
  const connection = gone()
  await memberships.join(connection, 'doc:1', null, 1).catch(() => {})
  expect(memberships.idOf(connection, 'doc:1')).toBeUndefined()
  await coordination.close()
})

test('[L3] nothing is kept of a lock whose connection has ended before', async () => {
  const coordination = createMemoryCoordination()
  const ended: string[] = []
  const { locks } = coordination
  const requests = createLockRequests({ locks: { ...locks, disconnect: (id) => (ended.push(id), locks.disconnect(id)) } }, () => {})
  const connection = gone()
  await requests.acquire(connection, { key: 'form:1', request: 'r1', ttlMs: 1, waitMs: undefined, info: undefined }).catch(() => {})
  ended.length = 0
  // It has nothing to end.
  requests.disconnect(connection)
  expect(ended).toEqual([])
  await coordination.close()
})
