import type { RedisLink } from '@tutti/pubsub/redis'
import { expect, test } from 'vitest'
import type { LockHolder } from '../src/locks/lock-contract.ts'
import { createLockWatches } from '../src/locks/lock-watches.ts'
import { createRoomFeed } from '../src/redis/room-feed.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Watches whose reads are completed by the test. */
function watching() {
  const reads: PromiseWithResolvers<ReadonlyMap<string, LockHolder>>[] = []
  const errors: unknown[] = []
  const watches = createLockWatches({
    follow: () => ({ ready: Promise.resolve(), end: () => {} }),
    read: () => {
      const read = Promise.withResolvers<ReadonlyMap<string, LockHolder>>()
      reads.push(read)
      return read.promise
    },
    onListenerError: (error) => errors.push(error),
  })
  return { reads, watches }
}
const heldBy = (user: string): ReadonlyMap<string, LockHolder> => new Map([['form:1', { user }]])

test('[L3] a gap during the first read does not end the view', async () => {
  const { reads, watches } = watching()
  const view = watches.watch({ key: 'form:1' }, () => {})
  await settle()
  const resync = watches.resync()
  reads[1]?.resolve(heldBy('ada'))
  await settle()
  reads[0]?.resolve(heldBy('ada'))
  await expect(view.ready).resolves.toBeUndefined()
  expect(await resync).toBe(true)
})

test('[L3] of two reads that overlap none takes a holder back', async () => {
  const { reads, watches } = watching()
  const view = watches.watch({ key: 'form:1' }, () => {})
  await settle()
  reads[0]?.resolve(heldBy('ada'))
  await view.ready
  // After a loss of data: the lease is another one, and there was a gap.
  const resyncs = [watches.resync(), watches.resync()]
  reads[1]?.resolve(heldBy('ada'))
  await settle()
  watches.apply('form:1', { user: 'bob' })
  // It was sent before the grant of bob, and its reply comes later.
  reads[2]?.resolve(heldBy('ada'))
  expect(await Promise.all(resyncs)).toEqual([true, true])
  expect(view.holders.get('form:1')).toEqual({ user: 'bob' })
})

test('[P4] a gap during the first read of a room makes it read again', async () => {
  const reads: PromiseWithResolvers<{ version: number }>[] = []
  const link = { subscribe: () => Object.assign(() => {}, { ready: Promise.resolve() }), status: 'ready', onStatus: () => () => {} }
  const shown: number[] = []
  const feed = createRoomFeed({
    ...{ link: link as unknown as RedisLink, room: 'doc:1', channel: 'c', instanceId: 'i', patienceMs: 60_000 },
    read: () => {
      const read = Promise.withResolvers<{ version: number }>()
      reads.push(read)
      return read.promise
    },
    onSnapshot: ({ version }) => shown.push(version),
    ...{ onChange: () => {}, onCursors: () => {}, onReadFailed: () => {}, onError: () => {} },
  })
  await settle()
  expect(reads).toHaveLength(1)
  // Redis has executed the read, and a change after it was announced while the other connection was lost.
  const resync = feed.resync()
  reads[0]?.resolve({ version: 1 })
  await settle()
  reads[1]?.resolve({ version: 2 })
  await resync
  expect(shown).toEqual([1, 2])
  feed.close()
})
