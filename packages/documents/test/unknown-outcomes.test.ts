import type { ClientInternals } from '@tutti/client/internal'
import { createRealtimeClient } from '@tutti/client'
import { RealtimeError } from '@tutti/protocol'
import { eventually } from '@tutti/test-kit'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Doc } from 'yjs'
import { createDocumentAwareness } from '../src/client/document-awareness.ts'
import { createUpdateQueue } from '../src/client/update-queue.ts'
import type { DocumentStore } from '../src/server/index.ts'
import { startPgliteInMemory } from './databases.ts'
import { createInstances } from './instances.ts'

/** A client whose first request has an unknown outcome; later ones succeed. Counts the requests. */
function clientWithFailure(): { internals: ClientInternals; sent: () => number } {
  const client = createRealtimeClient({ url: 'http://127.0.0.1:1' })
  onTestFinished(() => client.close())
  const { internals } = client
  const request = vi.spyOn(internals.connection, 'request').mockImplementation((_name, _payload, answer) => {
    if (request.mock.calls.length === 1) answer({ error: new RealtimeError('OUTCOME_UNKNOWN') })
    else (answer as (outcome: { result: object }) => void)({ result: {} })
  })
  return { internals, sent: () => request.mock.calls.length }
}

test('[D2] an update whose outcome is unknown is sent again on the same connection', async () => {
  const { internals, sent } = clientWithFailure()
  const queue = createUpdateQueue({
    internals,
    document: 'notes:1',
    session: 1,
    onChange: () => {},
    onRefused: (error) => expect.unreachable(error.message),
  })
  queue.start()
  queue.add(new Uint8Array([0, 0]))
  await eventually(() => expect([sent(), queue.length]).toEqual([2, 0]), { timeoutMs: 10_000 })
})

test('[D7] what a client shows is sent again on the same connection', async () => {
  const { internals, sent } = clientWithFailure()
  const shown = createDocumentAwareness(internals, 'notes:1', new Doc())
  onTestFinished(() => shown.dispose())
  shown.open()
  await eventually(() => expect(sent()).toBe(2), { timeoutMs: 10_000 })
})

test('[D1] an opening whose outcome is unknown is repeated on the same connection', async () => {
  const database = await startPgliteInMemory()
  onTestFinished(() => database.stop())
  let loads = 0
  const store: DocumentStore = {
    ...database.store,
    load: (id) => ((loads += 1) === 1 ? Promise.reject(new RealtimeError('OUTCOME_UNKNOWN')) : database.store.load(id)),
  }
  const instances = createInstances(store, undefined, () => {})
  onTestFinished(() => instances.stop())
  const notes = instances.open(await instances.start(), 'notes:1')
  await eventually(() => expect(notes.current).toMatchObject({ synced: true, error: undefined }), { timeoutMs: 10_000 })
})
