import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  collection: 'src/collection/collection.ts',
  durable: 'src/durable/durable.ts',
  internal: 'src/internal.ts',
  'offline-queue': 'src/offline-queue/offline-queue.ts',
  presence: 'src/presence/presence.ts',
})
