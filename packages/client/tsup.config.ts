import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  collection: 'src/collection/collection.ts',
  durable: 'src/durable/durable.ts',
  internal: 'src/internal.ts',
  messages: 'src/messages/messages.ts',
  lock: 'src/lock/lock.ts',
  'offline-queue': 'src/offline-queue/offline-queue.ts',
  presence: 'src/presence/presence.ts',
  room: 'src/room/room.ts',
})
