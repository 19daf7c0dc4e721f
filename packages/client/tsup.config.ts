import { tsupConfig } from '../../tsup.base.ts'

export default tsupConfig({
  index: 'src/index.ts',
  collection: 'src/collection.ts',
  'kept-queue': 'src/kept-queue/index.ts',
})
