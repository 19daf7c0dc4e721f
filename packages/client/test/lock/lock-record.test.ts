import { expect, test } from 'vitest'
import { RealtimeError, type ErrorCode } from '@tutti/protocol'
import type { ClientInternals } from '../../src/create-realtime-client.ts'
import { createLockRecord, type LockRecord } from '../../src/lock/lock-record.ts'
import { manualClock } from '../manual-clock.ts'

interface Sent {
  readonly name: string
  readonly payload: unknown
  reply(reply: object): void
  fail(code: ErrorCode): void
}

/** A record, what it has sent, and its clock. */
function start(): { record: LockRecord; sent: Sent[]; clock: ReturnType<typeof manualClock> } {
  const clock = manualClock()
  const sent: Sent[] = []
  const connection = {
    up: true,
    request: (name: string, payload: unknown, answer: (reply: { result?: object; error?: unknown }) => void) => {
      sent.push({ name, payload, reply: (result) => answer({ result }), fail: (code) => answer({ error: new RealtimeError(code) }) })
    },
  }
  const record = createLockRecord({
    ...{ key: 'form:1', clock, onThrow: () => {}, onChange: () => {} },
    connection: connection as unknown as ClientInternals['connection'],
  })
  return { record, sent, clock }
}

/** The record has the lock with token 1, and has sent a request for it after a reconnect. */
function reconnected(): ReturnType<typeof start> {
  const started = start()
  const { record, sent } = started
  record.acquire({ until: 0, settle: () => record.share() })
  sent[0]?.reply({ token: 1 })
  record.down()
  record.up()
  sent.splice(0, 1)
  return started
}

test('[L3] a release ends the grant of a request that is in flight after a reconnect', () => {
  const { record, sent } = reconnected()
  const request = { key: 'form:1', request: 'r1' }
  expect(sent.map(({ name, payload }) => [name, payload])).toEqual([['lock:acquire', request]])
  record.release()
  // The former grant may have ended: then the reply names another one.
  sent[0]?.reply({ token: 2 })
  expect(sent.slice(1).map(({ name, payload }) => [name, payload])).toEqual([
    ['lock:cancel', request],
    ['lock:release', { key: 'form:1', token: 1 }],
  ])
  expect(record.isIdle).toBe(true)
})

test('[L3] a grant that no handle wants any more is released', () => {
  const { record, sent } = reconnected()
  record.lost(1)
  sent[0]?.reply({ token: 2 })
  expect(record.binding).toBeUndefined()
  expect(sent.slice(1).map(({ name, payload }) => [name, payload])).toEqual([['lock:release', { key: 'form:1', token: 2 }]])
})

test('[L4] after a reconnect the same request is sent; a later one has another name', () => {
  const { record, sent } = start()
  const waiter = { until: 60_000, settle: () => {} }
  record.acquire(waiter)
  sent[0]?.reply({ waiting: true })
  record.down()
  record.up()
  sent[1]?.reply({ waiting: true })
  record.down()
  record.abandon(waiter)
  record.up()
  record.acquire(waiter)
  record.acquire({ until: 0, settle: () => {} })
  expect(sent.map(({ payload }) => payload)).toMatchObject([{ request: 'r1' }, { request: 'r1' }, { request: 'r2' }, { request: 'r3' }])
})

test.for(['UNAVAILABLE', 'OUTCOME_UNKNOWN'] as const)('[L3] a lock is requested again after %s', (code) => {
  const { record, sent, clock } = reconnected()
  sent[0]?.fail(code)
  expect(record.binding).toMatchObject({ token: 1 })
  clock.advance(10_000)
  expect(sent.map(({ payload }) => payload)).toEqual([
    { key: 'form:1', request: 'r1' },
    { key: 'form:1', request: 'r1' },
  ])
})
