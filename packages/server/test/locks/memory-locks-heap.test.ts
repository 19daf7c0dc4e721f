import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createMemoryCoordination } from '@tutti/coordination'
import { expect, test } from 'vitest'
import type { Connection } from '../../src/connection/connection.ts'
import { createLockRequests } from '../../src/locks/lock-requests.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const connected = (id: string): Connection => ({
  ...{ id, user: 'ada', address: '', clientId: id, connected: true, openedAt: 0, backlog: { isFull: false, afterDrain: () => {} } },
  subscriptions: { add: (names) => names, has: () => true, delete: () => {}, deletions: 0, all: [] },
  ...{ send: () => {}, deliver: () => {}, end: () => {}, disconnect: () => {}, join: () => {}, leave: () => {} },
})

test('[L3] connections that released their locks and ended leave nothing in memory', async () => {
  const coordination = createMemoryCoordination()
  const requests = createLockRequests(coordination, () => {})
  const useLock = async (): Promise<void> => {
    const connection = connected(crypto.randomUUID())
    const options = { key: 'form:1', request: 'r1', ttlMs: 1, waitMs: undefined, info: undefined }
    const result = await requests.acquire(connection, options)
    if (!('token' in result) || result.token === undefined) throw new Error('not granted')
    await requests.release(connection, 'form:1', result.token)
    requests.disconnect(connection)
  }
  for (let count = 0; count < 1_000; count += 1) await useLock()
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let count = 0; count < 30_000; count += 1) await useLock()
  collectGarbage()
  expect((process.memoryUsage().heapUsed - before) / 1e6).toBeLessThan(3)
  await coordination.close()
})
