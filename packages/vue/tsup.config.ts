import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  collection: 'src/collection/index.ts',
  durable: 'src/durable/index.ts',
  lock: 'src/lock/index.ts',
  messages: 'src/messages/index.ts',
  presence: 'src/presence/index.ts',
  room: 'src/room/index.ts',
  documents: 'src/documents/index.ts',
  pinia: 'src/pinia/index.ts',
})
