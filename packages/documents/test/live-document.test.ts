import { RealtimeError } from '@tutti/protocol'
import { createDeferred } from '@tutti/protocol/internal'
import { eventually } from '@tutti/test-kit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seedUpdate } from '../src/crdt.ts'
import { openLiveDocument } from '../src/live-document.ts'
import { createStoredDocumentLogs } from '../src/log/stored-document-logs.ts'
import { startPostgresql, type TestDatabase } from './databases.ts'

const AUTHOR = { user: '', connection: '' }

let database: TestDatabase
beforeAll(async () => {
  database = await startPostgresql()
})
afterAll(() => database.stop())

test('[D1] what is appended while a read of the log fails is read later', async () => {
  const { store } = database
  const id = 'notes:1'
  const log = createStoredDocumentLogs(store, () => {}).open(id)
  const failure = createDeferred<never>()
  let reads = 0
  const live = openLiveDocument({
    ...{ id, store, seed: () => undefined, onRecord: () => {}, onSkip: () => {}, onError: () => {} },
    log: { ...log, read: (after) => ((reads += 1) === 1 ? failure.promise : log.read(after)) },
  })
  await live.opened
  const check = live.check()
  await log.append(seedUpdate('appended', new Date()), AUTHOR)
  failure.reject(new RealtimeError('UNAVAILABLE'))
  await expect(check).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  expect(live.replica.text()).toBe('')
  await eventually(() => expect(live.replica.text()).toBe('appended'))
  await live.close()
})
