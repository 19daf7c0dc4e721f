import { RealtimePubSub } from '@tutti/pubsub'
import { sendToRedis, startRedis, type TestRedis } from '@tutti/test-kit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createRedisLogs, type LogOptions, type Logs } from '../../src/logs/index.ts'
import { appendNumbers, numbersOf, readAll } from '../../src/testing/logs/logs-under-test.ts'

let redis: TestRedis
let pubsub: RealtimePubSub
beforeAll(async () => {
  redis = await startRedis()
  pubsub = new RealtimePubSub({ url: redis.url })
  await pubsub.link.ready
})
afterAll(async () => {
  await pubsub.dispose()
  await redis.stop()
})
beforeEach(async () => void (await sendToRedis(redis, 'FLUSHALL')))

const HEAD = '{tutti$log:event:chat:a}$head'
const RECORDS = '{tutti$log:event:chat:a}$records'
const IDS = '{tutti$log:event:chat:a}$ids'

const open = (options: Omit<LogOptions, 'pattern'> = {}): Logs => createRedisLogs({ link: pubsub.link, pattern: 'chat:*', ...options })
const ask = (...args: [string, ...(string | number)[]]) => sendToRedis(redis, ...args)
const namesOf = async (...command: Parameters<typeof ask>): Promise<string[]> => {
  const reply = await ask(...command)
  return Array.isArray(reply) ? reply.map(String).toSorted() : []
}
const keys = (): Promise<string[]> => namesOf('KEYS', '*')
const ids = (): Promise<string[]> => namesOf('ZRANGE', IDS, 0, -1)
/** Commands that reached Redis, those inside scripts left out. */
const commandsDuring = async (work: () => Promise<unknown>): Promise<Record<string, number>> => {
  await ask('CONFIG', 'RESETSTAT')
  await work()
  const stats = String(await ask('INFO', 'commandstats'))
  return Object.fromEntries(
    [...stats.matchAll(/cmdstat_(evalsha|eval|subscribe|xrange|get):calls=(\d+)/g)].map(([, name, count]) => [name, Number(count)]),
  )
}

test('[E6] a Redis that lost its data begins another lifetime, with greater offsets', async () => {
  const logs = open()
  const [before] = await appendNumbers(logs, 'chat:a', 2)
  const empty = await logs.head('chat:empty')
  await ask('FLUSHALL')
  const [after] = await appendNumbers(logs, 'chat:a', 1)
  expect(after?.offset).toBeGreaterThan(before?.offset ?? Infinity)
  expect(after?.epoch).not.toBe(before?.epoch)
  expect(await logs.read('chat:a', before)).toMatchObject({ hasGap: true })
  // Also for a log that was empty: its first records may have been lost with it.
  await logs.append('chat:empty', { json: '0' })
  expect(await logs.read('chat:empty', empty)).toMatchObject({ hasGap: true })
})

test('[E6] a log whose head was lost alone continues after its records', async () => {
  const logs = open()
  const [before] = await appendNumbers(logs, 'chat:a', 2)
  await ask('DEL', HEAD)
  const [after] = await appendNumbers(logs, 'chat:a', 1, 2)
  expect(numbersOf(await readAll(logs, 'chat:a', { epoch: after?.epoch ?? 0, offset: before?.offset ?? 0 }))).toEqual([1, 2])
  expect(await logs.read('chat:a', before)).toMatchObject({ hasGap: true })
})

test('[E7] the id of a record that was lost or could not be added is appended again', async () => {
  const logs = open()
  await logs.append('chat:a', { json: '0', id: 'a' })
  await ask('DEL', RECORDS, HEAD)
  expect(await logs.append('chat:a', { json: '0', id: 'a' })).toMatchObject({ isNew: true })
  await ask('DEL', RECORDS)
  expect(await logs.append('chat:a', { json: '0', id: 'a' })).toMatchObject({ isNew: true })
  // Greater than any offset: nothing can be added.
  await pubsub.link.command('XADD', RECORDS, '18446744073709551615-18446744073709551615', '', '"data":0')
  const failed = ['a', 'b', 'b', 'c'].map((id) => logs.append('chat:a', { json: '1', id }))
  const outcomes = await Promise.all(failed.map((outcome) => outcome.then(({ isNew }) => isNew, String)))
  expect(outcomes).toEqual([false, ...Array.from({ length: 3 }, () => expect.stringContaining('ERR'))])
  expect(await ids()).toEqual(['"a"'])
})

test('[E7] the id of a record that is too old is appended again, once', async () => {
  const logs = open({ maxAgeMs: 10_000 })
  const old = Math.floor((pubsub.link.now() - 20_000) * 1_000)
  await pubsub.link.command('XADD', RECORDS, old, `${old - 9}"x"`, '"data":0')
  await pubsub.link.command('ZADD', IDS, old, '"x"')
  await pubsub.link.command('HSET', HEAD, '$', `${old - 9} ${old} ${old} 0 ${old} `)
  const [first, again, other] = await Promise.all(['x', 'x', 'y'].map((id) => logs.append('chat:a', { json: '1', id })))
  expect([first?.isNew, again?.isNew, other?.isNew]).toEqual([true, false, true])
  expect(again?.offset).toBe(first?.offset)
  expect(first?.offset).toBeGreaterThan(old)
  expect(await logs.append('chat:a', { json: '1', id: 'x' })).toMatchObject({ isNew: false, offset: first?.offset })
  expect(await ids()).toEqual(['"x"', '"y"'])
  expect(await ask('XLEN', RECORDS)).toBe(2)
})

test('[E6] offsets grow while the clock of Redis is behind the last one', async () => {
  const logs = open()
  const { epoch } = await logs.head('chat:a')
  const ahead = (pubsub.link.now() + 3_600_000) * 1_000
  const last = Math.floor(ahead)
  await pubsub.link.command('HSET', HEAD, '$', `${epoch} ${last} 0 0 0 `)
  const positions = await appendNumbers(logs, 'chat:a', 3)
  expect(positions.map(({ offset }) => offset)).toEqual([last + 1, last + 2, last + 3])
  expect(numbersOf(await readAll(logs, 'chat:a', { epoch, offset: last }))).toEqual([0, 1, 2])
})

test('[E6] an append is one command, and so are those of one turn', async () => {
  const logs = open()
  await logs.append('chat:a', { json: '0' })
  expect(await commandsDuring(() => logs.append('chat:a', { json: '1', id: 'x' }))).toMatchObject({ evalsha: 1 })
  const many = (): Promise<unknown> => Promise.all(Array.from({ length: 50 }, () => logs.append('chat:a', { json: '1' })))
  expect(await commandsDuring(many)).toMatchObject({ evalsha: 1 })
})

test('[E6] the keys of a log expire, its last offset after its records', async () => {
  const logs = open({ maxAgeMs: 10_000, tombstoneMs: 50_000 })
  await logs.append('chat:a', { json: '0' })
  await logs.append('chat:a', { json: '1', id: 'x' })
  expect(await keys()).toEqual([HEAD, IDS, RECORDS])
  for (const key of [RECORDS, IDS]) expect(Number(await ask('PTTL', key))).toBeGreaterThan(9_000)
  expect(Number(await ask('PTTL', RECORDS))).toBeLessThanOrEqual(12_500)
  expect(Number(await ask('PTTL', HEAD))).toBeGreaterThan(50_000)
  // After the records have expired, their ids are removed, and what is made again expires too.
  await ask('DEL', RECORDS)
  expect(await logs.append('chat:a', { json: '1', id: 'x' })).toMatchObject({ isNew: true })
  expect(await ids()).toEqual(['"x"'])
  for (const key of [RECORDS, IDS, HEAD]) expect(Number(await ask('PTTL', key))).toBeGreaterThan(9_000)
  await ask('DEL', RECORDS)
  await logs.append('chat:a', { json: '2' })
  expect(await ids()).toEqual([])
  for (const key of [RECORDS, HEAD]) expect(Number(await ask('PTTL', key))).toBeGreaterThan(9_000)
})

test.each([{ groups: [] }, { groups: ['g'] }])('[E7] only ids of records in the log are stored, groups: $groups', async ({ groups }) => {
  const logs = open({ maxRecords: 20, maxAgeMs: 10_000, groups })
  const group = groups.length === 0 ? undefined : logs.group('g')
  const process = async (): Promise<void> => {
    const taken = await group?.take('chat:a', { token: 't', count: 10, visibilityMs: 60_000 })
    for (const { offset } of taken?.records ?? []) await group?.acknowledge('chat:a', offset)
  }
  for (let number = 0; number < 130; number += 1) {
    await logs.append('chat:a', { json: '0', id: `n-${number}` })
    await process()
    expect(await ask('ZCARD', IDS)).toBe(await ask('XLEN', RECORDS))
    expect(await ask('HLEN', HEAD)).toBe(1)
  }
  for (const number of [110, 120, 129])
    expect(await logs.append('chat:a', { json: '0', id: `n-${number}` })).toMatchObject({ isNew: false })
  // Once all of a log is processed it expires, until the next append.
  await process()
  for (const key of [RECORDS, HEAD, IDS]) expect(Number(await ask('PTTL', key))).toBeGreaterThan(0)
  expect(await logs.append('chat:a', { json: '0', id: 'n-109' })).toMatchObject({ isNew: true })
  const isLasting = group !== undefined
  for (const key of [RECORDS, HEAD, IDS]) expect(Number(await ask('PTTL', key)) === -1).toBe(isLasting)
  // Where records are removed by an application alone, ids are removed too.
  const { offset } = await logs.head('chat:a')
  await process()
  await logs.append('chat:a', { json: '1', id: 'last' })
  await logs.trim('chat:a', offset)
  expect(await ids()).toEqual(['"last"'])
  expect(await logs.append('chat:a', { json: '1', id: 'last' })).toMatchObject({ isNew: false })
  expect(Number(await ask('PTTL', HEAD)) === -1).toBe(isLasting)
})

test('[E10] the keys of a log with groups expire once all of it is processed', async () => {
  const logs = open({ maxAgeMs: 10_000, groups: ['g'] })
  const group = logs.group('g')
  await logs.append('chat:a', { json: '0', id: 'x' })
  expect(await ask('PTTL', RECORDS)).toBe(-1)
  const { records } = await group.take('chat:a', { token: 't', count: 10, visibilityMs: 60_000 })
  for (const { offset } of records) await group.acknowledge('chat:a', offset)
  await group.take('chat:a', { token: 'u', count: 10, visibilityMs: 60_000 })
  for (const key of [RECORDS, IDS, HEAD]) expect(Number(await ask('PTTL', key))).toBeGreaterThan(0)
  expect(await keys()).toEqual(['tutti$channels:chat:*', HEAD, IDS, RECORDS].toSorted())
  await logs.append('chat:a', { json: '1' })
  expect(await ask('PTTL', RECORDS)).toBe(-1)
})

test('[E10] a removed log leaves the list once it can no longer be created late', async () => {
  const logs = open({ groups: ['g'] })
  await logs.append('chat:a', { json: '0' })
  await ask('DEL', RECORDS)
  expect(await logs.group('g').logs()).toEqual([])
  expect(await ask('ZCARD', 'tutti$channels:chat:*')).toBe(1)
  await ask('ZADD', 'tutti$channels:chat:*', Math.floor(pubsub.link.now() - 100_000), 'chat:a')
  expect(await logs.group('g').logs()).toEqual([])
  expect(await ask('ZCARD', 'tutti$channels:chat:*')).toBe(0)
  await logs.append('chat:a', { json: '1' })
  expect(await logs.group('g').logs()).toEqual(['chat:a'])
})

test('[N4] a message that is no append is dropped and reported', async () => {
  const errors: unknown[] = []
  const logs = open({ onError: (error, { stage }) => errors.push([stage, error]) })
  const notices: unknown[] = []
  const arrived = new Promise<void>((resolve) => {
    void logs.onAppend((notice) => {
      notices.push(notice)
      resolve()
    })
  })
  await logs.onAppend(() => {}).ready
  for (const text of ['', '{}', '{"origin":"x","log":"chat:a"}', 'null'])
    await pubsub.link.command('PUBLISH', 'tutti:$durable:chat:*', text)
  await logs.append('chat:a', { json: '0' })
  await arrived
  expect(notices).toHaveLength(1)
  expect(errors).toEqual(Array.from({ length: 4 }, () => ['message', expect.objectContaining({ code: 'INVALID_MESSAGE' })]))
  await logs.close()
})
