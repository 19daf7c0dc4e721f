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
    ...{ id: 'notes:1', replica: createReplica(), size: 10, loadedBytes: 0, mustStoreAll: false, hasUnstored: false },
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

test('[D4] a document that was opened has a snapshot once it has grown by a quarter', async () => {
  const snapshots: NewSnapshot[] = []
  const store = { append: never, saveSnapshot: async (snapshot: NewSnapshot) => snapshots.push(snapshot) > 0 }
  const position = { epoch: 1, offset: 150 }
  const live = {
    ...{ id: 'notes:1', replica: createReplica(), size: 1_100, loadedBytes: 1_000, mustStoreAll: false, hasUnstored: false },
    ...{ position, stored: 150 },
  }
  const writer = createDocumentWriter({ store: store as unknown as DocumentStore, snapshotIntervalMs: 600_000, onError: () => {} })
  await writer.write([live as unknown as LiveDocument], false)
  expect(snapshots).toEqual([])
  live.size = 1_300
  await writer.write([live as unknown as LiveDocument], false)
  expect(snapshots).toMatchObject([{ offset: 150 }])
})
