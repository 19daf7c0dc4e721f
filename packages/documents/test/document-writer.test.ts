import { expect, test } from 'vitest'
import { createReplica } from '../src/crdt.ts'
import type { LiveDocument } from '../src/live-document.ts'
import { createDocumentWriter } from '../src/server/document-writer.ts'
import type { DocumentStore, NewSnapshot } from '../src/store/document-store.ts'

const never = async (): Promise<never> => {
  throw new Error('not expected')
}

test('[D4] a replica that is behind the database makes no snapshot of it', async () => {
  const snapshots: NewSnapshot[] = []
  const store = { append: never, saveSnapshot: async (snapshot: NewSnapshot) => snapshots.push(snapshot) > 0 }
  let offset = 100
  const live = {
    ...{ id: 'notes:1', replica: createReplica(), size: 10, mustStoreAll: false, hasUnstored: false },
    get position() {
      return { epoch: 1, offset }
    },
    // Another instance has stored updates that this one has not received.
    stored: 150,
  }
  const writer = createDocumentWriter({ store: store as unknown as DocumentStore, snapshotIntervalMs: 1, onError: () => {} })
  await writer.write([live as unknown as LiveDocument], true)
  expect(snapshots).toEqual([])
  offset = 150
  await writer.write([live as unknown as LiveDocument], true)
  expect(snapshots).toMatchObject([{ offset: 150 }])
})
