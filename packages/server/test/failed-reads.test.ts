import { createMemoryLogs, type AppendNotice, type Logs } from '@tutti/coordination/logs'
import { RealtimeError } from '@tutti/protocol'
import { reactiveDriver } from '@tutti/storage-driver'
import { eventually } from '@tutti/test-kit'
import memoryDriver from 'unstorage/drivers/memory'
import { expect, onTestFinished, test } from 'vitest'
import type { Entry } from '@tutti/protocol'
import { createWatchedEntry } from '../src/state/watched-entry.ts'
import { serve } from './serve.ts'

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('[E6] a notification that arrives during a read that fails is read later', async () => {
  const logs = createMemoryLogs({ pattern: 'chat:*' })
  let notify = (_notice: AppendNotice): void => {}
  let fails = false
  let failure = Promise.withResolvers<never>()
  /** Without notifications of its own. */
  const controlled: Logs = {
    ...logs,
    onAppend: (listener) => {
      notify = listener
      return Object.assign(() => {}, { ready: Promise.resolve() })
    },
    read: (...args) => (fails ? failure.promise : logs.read(...args)),
  }
  const server = await serve({ durable: { 'chat:*': controlled }, onError: () => {} })
  onTestFinished(async () => {
    await server.close()
    await logs.close()
  })
  const client = await server.connect()
  await client.request('event:subscribe', { channel: 'chat:a' })
  const notices: AppendNotice[] = []
  const stop = logs.onAppend((notice) => notices.push(notice))
  for (const data of ['1', '2', '3']) await logs.append('chat:a', { json: data })
  stop()
  const [, second, third] = notices
  if (second === undefined || third === undefined) throw new Error('not appended')
  fails = true
  // The first notification is lost, so the log is read.
  notify(second)
  await settle()
  notify(third)
  failure.reject(new RealtimeError('UNAVAILABLE'))
  await settle()
  fails = false
  failure = Promise.withResolvers<never>()
  await eventually(() => expect(client.of('event:received').map((event) => (event as { data: unknown }).data)).toEqual([1, 2, 3]), {
    timeoutMs: 5_000,
  })
})

test('[S3] an entry whose read after a gap fails is read later', async () => {
  const told: Entry[] = []
  let entry: Entry = { key: 'k', version: 1, value: 'a' }
  let isAway = false
  const read = async (): Promise<Entry> => {
    if (isAway) throw new RealtimeError('UNAVAILABLE')
    return entry
  }
  const watched = createWatchedEntry(
    'k',
    read,
    (next) => told.push(next),
    () => {},
  )
  await watched.refresh()
  isAway = true
  entry = { key: 'k', version: 2, value: 'b' }
  await watched.refresh()
  isAway = false
  await eventually(() => expect(told.at(-1)).toEqual(entry), { timeoutMs: 3_000 })
})

test.each(['todos:1', 'todos:*'])('[S3] a watch of %s that begins in an outage receives the entry later', async (name) => {
  const driver = memoryDriver()
  let isAway = false
  const failing: typeof driver = {
    ...driver,
    getItem: (...args) => {
      if (isAway) throw new Error('away')
      return driver.getItem(...args)
    },
    getKeys: (...args) => {
      if (isAway) throw new Error('away')
      return driver.getKeys(...args)
    },
  }
  const { realtime, close } = await serve({ state: reactiveDriver(failing), onError: () => {} })
  onTestFinished(close)
  await realtime.state.set('todos:1', 'a')
  isAway = true
  const told: unknown[] = []
  onTestFinished(realtime.state.watch(name, (entry) => told.push('value' in entry && entry.value)))
  await new Promise((resolve) => setTimeout(resolve, 50))
  isAway = false
  await eventually(() => expect(told).toEqual(['a']), { timeoutMs: 3_000 })
})
