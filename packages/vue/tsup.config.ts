import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  collection: 'src/collection/index.ts',
  durable: 'src/durable/index.ts',
  lock: 'src/lock/index.ts',
  presence: 'src/presence/index.ts',
  documents: 'src/documents/index.ts',
  pinia: 'src/pinia/index.ts',
})
